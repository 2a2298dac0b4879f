/*
 * allowed.c
 *	  What a query that a model wrote may consist of.
 *
 * One SELECT, whose relations lie in one schema, and whose functions and operators
 * come with the server and are immutable: they change nothing, see nothing but their
 * arguments, and give the same today and tomorrow. A few that are stable only because
 * of settings which the jail fixes (the format of dates, the time zone) are allowed by
 * name. Everything else is refused, also where it would do no harm.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/base/compat.h"
#include "pg/verify/allowed.h"

/* Stable functions that are allowed. */
static const char *const stable[] = {
	"age",
	"anyarray_out",
	"array_in",
	"array_out",
	"array_to_json",
	"array_to_string",
	"concat",
	"concat_ws",
	"date_gt_timestamptz",
	"date_in",
	"date_out",
	"date_part",
	"date_trunc",
	"domain_in",
	"enum_in",
	"enum_out",
	"extract",
	"format",
	"interval_in",
	"json_agg",
	"json_build_array",
	"json_build_object",
	"json_object_agg",
	"jsonb_agg",
	"jsonb_build_array",
	"jsonb_build_object",
	"jsonb_object_agg",
	"make_timestamptz",
	"quote_literal",
	"quote_nullable",
	"range_in",
	"range_out",
	"record_out",
	"row_to_json",
	"time_in",
	"timestamp_in",
	"timestamp_out",
	"timestamptz",
	"timestamptz_in",
	"timestamptz_out",
	"timetz_in",
	"timezone",
	"to_char",
	"to_date",
	"to_json",
	"to_jsonb",
	"to_number",
	"to_timestamp",
};

/* Immutable ones that are not, by the beginning of their names. */
static const char *const refused_prefixes[] = {"pg_", "lo_",   "binary_upgrade_",
											   "xml", "xpath", "ts_"};

static bool
is_stable_allowed(const char *name)
{
	for (size_t i = 0; i < lengthof(stable); i++)
		if (strcmp(name, stable[i]) == 0)
			return true;
	return false;
}

static bool
has_refused_prefix(const char *name)
{
	for (size_t i = 0; i < lengthof(refused_prefixes); i++)
		if (strncmp(name, refused_prefixes[i], strlen(refused_prefixes[i])) == 0)
			return true;
	return false;
}

static void
refuse(const char *what, const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("a query that is verified must not use %s%s%s", what, name ? " " : "",
						   name ? name : "")));
}

/* For check_functions_in_node: raises, or says false, "go on". */
static bool
check_function(Oid function, void *context)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	const char *name;
	bool allowed;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	name = pstrdup(NameStr(form->proname));
	allowed = form->pronamespace == PG_CATALOG_NAMESPACE && !form->prosecdef &&
			  !has_refused_prefix(name) &&
			  (form->provolatile == PROVOLATILE_IMMUTABLE ||
			   (form->provolatile == PROVOLATILE_STABLE && is_stable_allowed(name)));
	ReleaseSysCache(tuple);
	if (!allowed)
		refuse("function", name);
	return false;
}

static void
check_relation(const RangeTblEntry *entry, Oid schema)
{
	if (get_rel_namespace(entry->relid) != schema)
		refuse("a relation outside of its schema:", get_rel_name(entry->relid));
	if (strchr("rvmp", entry->relkind) == NULL)
		refuse("relation", get_rel_name(entry->relid));
	if (entry->tablesample)
		refuse("TABLESAMPLE", NULL);
}

static void
check_query_itself(const Query *query)
{
	if (query->commandType != CMD_SELECT || query->utilityStmt)
		refuse("anything but SELECT", NULL);
	if (query->hasModifyingCTE)
		refuse("WITH to change data", NULL);
	if (query->rowMarks)
		refuse("row locks", NULL);
}

static bool
walk(Node *node, void *context)
{
	Oid *schema = context;

	if (!node)
		return false;
	if (IsA(node, Query))
	{
		check_query_itself((Query *) node);
		return query_tree_walker((Query *) node, walk, context, QTW_EXAMINE_RTES_BEFORE);
	}
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;

		if (entry->rtekind == RTE_RELATION)
			check_relation(entry, *schema);
		else if (entry->rtekind == RTE_TABLEFUNC)
			refuse("XMLTABLE or JSON_TABLE", NULL);
		return false; /* query_tree_walker goes into it */
	}
	if (IsA(node, SQLValueFunction))
		refuse("the time of day or the name of a role", NULL);
	if (IsA(node, XmlExpr))
		refuse("XML", NULL);
	if (IsA(node, NextValueExpr))
		refuse("sequences", NULL);
	(void) check_functions_in_node(node, check_function, NULL);
	return expression_tree_walker(node, walk, context);
}

void
rstar_pg_allowed_check(const char *query, Oid schema, bool *ordered)
{
	List *statements = pg_parse_query(query);
	RawStmt *raw;
	Query *analysed;

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("a query that is verified must be one statement")));
	raw = linitial_node(RawStmt, statements);
	if (!IsA(raw->stmt, SelectStmt) || ((SelectStmt *) raw->stmt)->intoClause)
		refuse("anything but SELECT", NULL);
	analysed = rstar_pg_analyze(raw, query);
	*ordered = analysed->sortClause != NIL;
	(void) walk((Node *) analysed, &schema);
}
