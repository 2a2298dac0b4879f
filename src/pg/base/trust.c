/*
 * trust.c
 *	  Whose code runs when a table is written.
 *
 * What hangs on a table is found as ALTER and DROP find it, by the recorded
 * dependencies: a trigger depends on its function and on whatever its WHEN
 * condition calls, a default on its functions, a column on its type, and so
 * on. Objects that come with the server have no recorded dependencies and
 * belong to the bootstrap superuser.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/base/compat.h"
#include "pg/base/trust.h"

/* One table under examination. */
typedef struct examination
{
	Relation table;
	Oid role; /* the one that writes it */
} examination;

static void check_dependencies(const examination *e, Oid class, Oid object, Oid through);

static bool
is_trusted(const examination *e, Oid role)
{
	return role == e->role || superuser_arg(role);
}

/* Raise: `detail` says what would run. */
static void
refuse(const examination *e, char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("refusing to write table \"%s\", on which hangs code that is not trusted",
					RelationGetRelationName(e->table)),
			 errdetail_internal("%s", detail),
			 errhint("It must belong to role \"%s\", which writes the table, or to a superuser.",
					 GetUserNameFromId(e->role, true))));
}

/* Refuse if that object, on which (class, dependent) depends, belongs to somebody else. */
static void
check_owner(const examination *e, Oid class, Oid dependent, Oid referenced_class, Oid referenced,
			Oid owner)
{
	ObjectAddress user = {class, dependent, 0};
	ObjectAddress used = {referenced_class, referenced, 0};

	if (is_trusted(e, owner))
		return;
	refuse(e, psprintf("%s depends on %s, which belongs to role \"%s\".",
					   getObjectDescription(&user, true), getObjectDescription(&used, true),
					   GetUserNameFromId(owner, true)));
}

/* The owner that a row of a catalogue names; InvalidOid if the row has just gone. */
static Oid
owner_of(int cache, Oid object, AttrNumber column)
{
	HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
	bool is_null;
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = DatumGetObjectId(SysCacheGetAttr(cache, tuple, column, &is_null));
	ReleaseSysCache(tuple);
	return owner;
}

static void
check_function(const examination *e, Oid class, Oid dependent, Oid function)
{
	check_owner(e, class, dependent, ProcedureRelationId, function,
				owner_of(PROCOID, function, Anum_pg_proc_proowner));
}

/* Look through the dependencies of every object of a catalogue that an index finds by one Oid. */
static void
check_rows(const examination *e, Oid catalogue, Oid index, AttrNumber key_column, Oid key,
		   Oid (*object_of)(HeapTuple row), Oid through)
{
	Relation relation = table_open(catalogue, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData scan_key;
	HeapTuple row;

	ScanKeyInit(&scan_key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(key));
	scan = systable_beginscan(relation, index, true, NULL, 1, &scan_key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		check_dependencies(e, catalogue, object_of(row), through);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

static Oid
constraint_of(HeapTuple row)
{
	return ((Form_pg_constraint) GETSTRUCT(row))->oid;
}

static Oid
default_of(HeapTuple row)
{
	return ((Form_pg_attrdef) GETSTRUCT(row))->oid;
}

static Oid
policy_of(HeapTuple row)
{
	return ((Form_pg_policy) GETSTRUCT(row))->oid;
}

/* A type: its owner, what it is made of, and the checks of a domain. */
static void
check_type(const examination *e, Oid class, Oid dependent, Oid type)
{
	check_owner(e, class, dependent, TypeRelationId, type,
				owner_of(TYPEOID, type, Anum_pg_type_typowner));
	check_dependencies(e, TypeRelationId, type, type);
	if (get_typtype(type) == TYPTYPE_DOMAIN)
		check_rows(e, ConstraintRelationId, ConstraintTypidIndexId, Anum_pg_constraint_contypid,
				   type, constraint_of, type);
}

static void
check_operator(const examination *e, Oid class, Oid dependent, Oid operator)
{
	check_owner(e, class, dependent, OperatorRelationId, operator,
				owner_of(OPEROID, operator, Anum_pg_operator_oprowner));
	check_function(e, OperatorRelationId, operator, get_opcode(operator));
}

/*
 * An operator class: an index that is made with it calls the functions of its family. Those of
 * the system do not come here, nothing is recorded as depending on them.
 */
static void
check_operator_class(const examination *e, Oid operator_class)
{
	Oid family = get_opclass_family(operator_class);
	CatCList *members = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family));

	for (int i = 0; i < members->n_members; i++)
	{
		Form_pg_amproc member = (Form_pg_amproc) GETSTRUCT(&members->members[i]->tuple);

		check_function(e, OperatorClassRelationId, operator_class, member->amproc);
	}
	ReleaseSysCacheList(members);
	members = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	for (int i = 0; i < members->n_members; i++)
	{
		Form_pg_amop member = (Form_pg_amop) GETSTRUCT(&members->members[i]->tuple);

		check_operator(e, OperatorClassRelationId, operator_class, member->amopopr);
	}
	ReleaseSysCacheList(members);
}

/* A table, view or sequence that an expression reads. */
static void
check_relation(const examination *e, Oid class, Oid dependent, Oid relation)
{
	check_owner(e, class, dependent, RelationRelationId, relation,
				owner_of(RELOID, relation, Anum_pg_class_relowner));
}

static void
check_reference(const examination *e, Form_pg_depend reference, Oid through)
{
	Oid class = reference->classid, dependent = reference->objid, used = reference->refobjid;

	if (reference->refclassid == ProcedureRelationId)
		check_function(e, class, dependent, used);
	else if (reference->refclassid == TypeRelationId && used != through)
		check_type(e, class, dependent, used);
	else if (reference->refclassid == OperatorRelationId)
		check_operator(e, class, dependent, used);
	else if (reference->refclassid == OperatorClassRelationId)
		check_operator_class(e, used);
	else if (reference->refclassid == RelationRelationId)
		check_relation(e, class, dependent, used);
}

/*
 * Look through what an object depends on. through: the type whose constraints
 * are being looked through, which depend on it in turn.
 */
static void
check_dependencies(const examination *e, Oid class, Oid object, Oid through)
{
	Relation depend = table_open(DependRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key[2];
	HeapTuple row;

	check_stack_depth();
	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(class));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		check_reference(e, (Form_pg_depend) GETSTRUCT(row), through);
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/* Whether somebody whom we do not trust may put triggers on the table. */
static bool
others_make_triggers(const examination *e)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(e->table)));
	bool found = !is_trusted(e, e->table->rd_rel->relowner);
	bool is_null;
	Datum value;

	if (!HeapTupleIsValid(tuple))
		return true;
	value = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &is_null);
	if (!is_null)
	{
		Acl *acl = DatumGetAclP(value);

		for (int i = 0; i < ACL_NUM(acl); i++)
		{
			const AclItem *item = &ACL_DAT(acl)[i];

			if ((ACLITEM_GET_PRIVS(*item) & ACL_TRIGGER) &&
				(item->ai_grantee == ACL_ID_PUBLIC || !is_trusted(e, item->ai_grantee)))
				found = true;
		}
	}
	ReleaseSysCache(tuple);
	return found;
}

/*
 * A trigger's function must be trusted, and so must whatever its condition
 * calls. Arguments can turn a trusted function into a weapon (some make
 * statements of them), so one that has any must be the
 * work of somebody trusted.
 */
static void
check_trigger(const examination *e, const Trigger *trigger)
{
	check_function(e, TriggerRelationId, trigger->tgoid, trigger->tgfoid);
	check_dependencies(e, TriggerRelationId, trigger->tgoid, InvalidOid);
	if (trigger->tgnargs > 0 && others_make_triggers(e))
		refuse(e, psprintf("Trigger \"%s\" has arguments, and roles that are not trusted hold the "
						   "privilege TRIGGER.",
						   trigger->tgname));
}

static void
check_triggers(const examination *e)
{
	const TriggerDesc *triggers = e->table->trigdesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!trigger->tgisinternal && trigger->tgenabled != TRIGGER_DISABLED)
			check_trigger(e, trigger);
	}
}

static void
check_indexes(const examination *e)
{
	List *indexes = RelationGetIndexList(e->table);
	ListCell *cell;

	foreach (cell, indexes)
		check_dependencies(e, RelationRelationId, lfirst_oid(cell), InvalidOid);
	list_free(indexes);
}

static void
check_policies(const examination *e)
{
	check_rows(e, PolicyRelationId, PolicyPolrelidPolnameIndexId, Anum_pg_policy_polrelid,
			   RelationGetRelid(e->table), policy_of, InvalidOid);
}

/*
 * Tables that the table's foreign keys refer to. Checking a key reads them as their owner, and
 * planning that evaluates index predicates and expressions. Their triggers do not run.
 */
static void
check_referenced(const examination *e)
{
	ListCell *cell;

	foreach (cell, RelationGetFKeyList(e->table))
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);
		examination referenced = {.role = e->role};

		referenced.table = table_open(key->confrelid, AccessShareLock);
		check_indexes(&referenced);
		check_policies(&referenced);
		table_close(referenced.table, NoLock);
	}
}

/* The table itself, or one that inherits from it. */
static void
check_table(examination *e, Oid relation)
{
	char kind = e->table->rd_rel->relkind;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		refuse(e, pstrdup("It is not an ordinary table."));
	if (e->table->rd_rules)
		refuse(e, pstrdup("It has rewrite rules."));
	check_triggers(e);
	check_dependencies(e, RelationRelationId, relation, InvalidOid);
	check_rows(e, AttrDefaultRelationId, AttrDefaultIndexId, Anum_pg_attrdef_adrelid, relation,
			   default_of, InvalidOid);
	check_rows(e, ConstraintRelationId, ConstraintRelidTypidNameIndexId,
			   Anum_pg_constraint_conrelid, relation, constraint_of, InvalidOid);
	check_policies(e);
	check_indexes(e);
	check_referenced(e);
}

/* On a standby nothing is written, and no such lock to be had. */
static LOCKMODE
writing_lock(void)
{
	return RecoveryInProgress() ? AccessShareLock : RowExclusiveLock;
}

void
rstar_pg_lock_for_writing(Oid table)
{
	LockRelationOid(table, writing_lock());
}

/* The table and all that inherit from it; how many those are. */
static int
check_family(Oid table, Oid role)
{
	examination e = {.role = role};
	List *family = find_all_inheritors(table, writing_lock(), NULL);
	int n = list_length(family);
	ListCell *cell;

	foreach (cell, family)
	{
		e.table = table_open(lfirst_oid(cell), NoLock);
		check_table(&e, lfirst_oid(cell));
		table_close(e.table, NoLock);
	}
	list_free(family);
	return n;
}

/* --- what was found before ------------------------------------------------------------ */

/*
 * The examination walks through catalogues, and a worker that stores a tree would do it five
 * times: it took 4 % of a search of small problems. So what was found is kept until a table or
 * an object of the kinds that were looked at changes anywhere. Whoever changes one sends an
 * invalidation, which is taken before the verdict is looked up. Tables with children
 * are not kept: the children's locks are part of what was found.
 */
static uint64 catalogue_version = 1;

typedef struct verdict
{
	Oid table;
	Oid role;
	uint64 version; /* trusted as the catalogues were at this version; 0: unused */
} verdict;

static verdict verdicts[32];

static void
relation_changed(Datum arg, Oid relation)
{
	catalogue_version++;
}

static void
object_changed(Datum arg, int cache, uint32 hash)
{
	catalogue_version++;
}

/* Once in a process; there is no way to take a callback back. */
static void
listen_for_changes(void)
{
	static const int caches[] = {AMOPSTRATEGY, AMPROCNUM,   AUTHOID, CLAOID, CONSTROID,
								 OPEROID,      OPFAMILYOID, PROCOID, RELOID, TYPEOID};
	static bool listening = false;

	if (listening)
		return;
	listening = true;
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	for (size_t i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], object_changed, (Datum) 0);
}

static verdict *
verdict_on(Oid table, Oid role)
{
	verdict *v = &verdicts[(table ^ (role << 3)) % lengthof(verdicts)];

	if (v->table != table || v->role != role)
		*v = (verdict){.table = table, .role = role};
	return v;
}

void
rstar_pg_check_trusted(Oid table, Oid role)
{
	uint64 version;
	verdict *v;

	listen_for_changes();
	rstar_pg_lock_for_writing(table);
	AcceptInvalidationMessages(); /* a lock that was held already takes none */
	v = verdict_on(table, role);
	version = catalogue_version;
	if (v->version == version)
		return;
	if (check_family(table, role) == 1)
		v->version = version;
}
