/*
 * Work in parts, for whoever has nothing else to do.
 *
 * A module that knows nothing of threads can have its work shared: it is handed a crew by those who
 * do (exec/pipeline.h), and says what the parts are.
 */
#ifndef STOA_BASE_CREW_H
#define STOA_BASE_CREW_H

#include <stoa/base.h>

/* Part i of some work. Any thread, beside other parts of it. */
typedef enum stoa_status stoa_crew_part(void *context, size_t i, struct stoa_error *err);

/* `{0}`: nobody. */
struct stoa_crew {
    enum stoa_status (*run)(struct stoa_crew *crew, size_t nparts, stoa_crew_part *part,
                            void *context, struct stoa_error *err);
};

/*
 * Does parts [0, nparts) and returns when none is going on any more. The caller's thread works on
 * them from the first one on, and idle threads of the crew with it; crew NULL: it works alone.
 * Errors: that of the first part that fails, for any number of threads; parts behind it may have
 * been done or not. A part must not share work itself.
 */
STOA_CHECK enum stoa_status stoa_crew_run(struct stoa_crew *crew, size_t nparts,
                                          stoa_crew_part *part, void *context,
                                          struct stoa_error *err);

#endif
