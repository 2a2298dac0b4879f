/*
 * round_judge.h
 *	  Whether a round's new models are accepted.
 */
#ifndef RSTAR_PG_ROUNDS_ROUND_JUDGE_H
#define RSTAR_PG_ROUNDS_ROUND_JUDGE_H

/*
 * The evaluation that a round's own is compared with: that of the last accepted round before it,
 * or else of the model that the line
 * began with; 0: there is none that is done. With the rights of the tables'
 * owner, for a round of the caller's.
 */
extern int64 rstar_pg_round_before(int64 round_id);

/*
 * Note in the row whether the new models are accepted, given their evaluation: they are unless they
 * have fewer right than those before, on the held-out problems that both were tried on, by the
 * better of policy alone (greedy) and search (weighted). The first PPM of a line often guides
 * badly, while the policy beside it is what the next round needs.
 */
extern void rstar_pg_round_judge(int64 round_id, int64 evaluation_id);

#endif
