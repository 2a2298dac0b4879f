#include "postgres.h"

#include "pg/workers/processes.h"
#include "pg/workers/schedule.h"

void
rstar_schedules_examine(rstar_database_report *report)
{
}

void
rstar_schedule_main(Datum main_arg)
{
}
