/*
 * Signals of commands that write files.
 *
 * The first one asks the conversion to stop, which it does between two pieces of work. A call that
 * waits for a pipe or a disk may not come back in time, so a timer ends the program then: an
 * output without its name vanishes with the process.
 */
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "command.h"

#define PATIENCE_US 150000

volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    const struct itimerval timer = {.it_value.tv_usec = PATIENCE_US};

    if (interrupted == 0)
        setitimer(ITIMER_REAL, &timer, NULL);
    interrupted = number;
}

static void on_timer(int number)
{
    static const char message[] = "stoa: interrupted\n";

    (void)number;
    if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
        _exit(EXIT_IO);
    _exit(EXIT_SIGNAL + interrupted);
}

/* A signal that the caller ignores (nohup, a shell's "&") stays ignored. */
static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler}, before;

    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void install_signals(void)
{
    handle(SIGINT, on_signal);
    handle(SIGTERM, on_signal);
    handle(SIGHUP, on_signal);
    handle(SIGALRM, on_timer);
    handle(SIGXFSZ, SIG_IGN); /* a size limit becomes an error of write(), with its message */
}

void settle_signals(void)
{
    const struct itimerval none = {0};

    setitimer(ITIMER_REAL, &none, NULL);
}
