/*
 * report_tables.h
 *	  The tables of rstar_report_html.
 */
#ifndef RSTAR_PG_ROUNDS_REPORT_TABLES_H
#define RSTAR_PG_ROUNDS_REPORT_TABLES_H

#include <stdbool.h>

/*
 * A table of the page. The names of the statement's columns are its headings. A column of
 * type float8 is a share between 0 and 1 and becomes a bar; one of type bigint is a number of
 * things, shown with separators of thousands. $1 is the round, and operators need no schema (the
 * search path is pg_catalog).
 */
typedef struct rstar_report_table
{
	const char *heading;
	const char *note; /* or NULL */
	const char *none; /* what is said of no rows */
	const char *statement;
	bool sideways; /* a column for each row */
} rstar_report_table;

/* The round and those before it in its line. */
#define RSTAR_REPORT_LINE                                                                          \
	"WITH line AS (SELECT line_round_id AS round_id FROM rstar.round_lines WHERE round_id = $1)"

extern const rstar_report_table rstar_pg_report_rounds;
extern const rstar_report_table rstar_pg_report_tables[]; /* in the page's order */
extern const int rstar_pg_report_n_tables;

#endif
