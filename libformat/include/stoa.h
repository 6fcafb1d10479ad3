/*
 * All of libstoa: columnar files of typed values, made from CSV and scanned by predicate.
 *
 * Where to begin: stoa_convert() of stoa/convert.h does a whole job; stoa/scan.h reads batches that
 * satisfy a filter; stoa/writer.h and stoa/reader.h are the file itself.
 */
#ifndef STOA_H
#define STOA_H

#include <stoa/aggregate.h>
#include <stoa/array.h>
#include <stoa/arrow.h>
#include <stoa/avro.h>
#include <stoa/avro_rows.h>
#include <stoa/base.h>
#include <stoa/convert.h>
#include <stoa/csv.h>
#include <stoa/filter.h>
#include <stoa/io.h>
#include <stoa/jsonl.h>
#include <stoa/merge.h>
#include <stoa/order.h>
#include <stoa/reader.h>
#include <stoa/recover.h>
#include <stoa/restore.h>
#include <stoa/scan.h>
#include <stoa/schema.h>
#include <stoa/source_text.h>
#include <stoa/stats.h>
#include <stoa/writer.h>

#endif
