/*
 * Stoa: a columnar file format, written and scanned from C. The headers by topic:
 */
#ifndef STOA_H
#define STOA_H

#include <stoa/array.h>
#include <stoa/base.h>
#include <stoa/convert.h>
#include <stoa/csv.h>
#include <stoa/filter.h>
#include <stoa/io.h>
#include <stoa/reader.h>
#include <stoa/scan.h>
#include <stoa/schema.h>
#include <stoa/stats.h>
#include <stoa/writer.h>

#endif
