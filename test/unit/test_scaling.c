/*
 * test_scaling.c
 *	  Evaluations as pictures: whole files, whatever the numbers and the names are.
 */
#include "svg_check.h"

#include "core/picture/scaling.h"

static const rstar_string names[] = {{"one", 3}, {"<b>&two", 7}};

static char *
draw(const rstar_scaling_point *points, size_t n, uint32_t n_names)
{
	rstar_scaling scaling = {"rollouts", "k =", names, n_names, points, n};
	rstar_buffer out;
	rstar_error err = {0};

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK_MSG(rstar_scaling_svg(&scaling, &out, &err) == RSTAR_OK, "%s", err.message);
	return checked_svg(&out);
}

/* Ends of the plot (scaling.c): x from 64 to 816, y from 360 (the low end) up to 60. */
static void
one_evaluation(void)
{
	const rstar_scaling_point points[] = {
		{0, RSTAR_SCALING_GREEDY, 1, 0.5, 0.4, 0.6}, {0, RSTAR_SCALING_PASS, 1, 0.4, 0.3, 0.5},
		{0, RSTAR_SCALING_PASS, 2, 0.6, 0.5, 0.7},   {0, RSTAR_SCALING_PASS, 4, 0.8, 0.7, 0.9},
		{0, RSTAR_SCALING_BEST, 1, 0.4, 0.3, 0.5},
	};
	char *svg = draw(points, 5, 1);

	/* the axis goes from 30 % to 90 %, k = 2 stands in the middle */
	CHECK(strstr(svg, "class=\"c0\" d=\"M64.0 310.0L440.0 210.0L816.0 110.0\"") != NULL);
	CHECK(strstr(svg, "L816.0 60.0L816.0 160.0L440.0 260.0L64.0 360.0Z") != NULL);
	CHECK(count(svg, "<circle") == 4);
	CHECK(count(svg, "pass@k") == 1 && count(svg, ">greedy, without") == 1);
	CHECK(count(svg, ">majority") == 0); /* what is not there is not explained */
	free(svg);
}

static void
several_evaluations(void)
{
	const rstar_scaling_point points[] = {
		{0, RSTAR_SCALING_PASS, 1, 0.4, 0.3, 0.5},     {0, RSTAR_SCALING_PASS, 2, 0.5, 0.4, 0.6},
		{1, RSTAR_SCALING_PASS, 1, 0.6, 0.5, 0.7},     {1, RSTAR_SCALING_PASS, 2, 0.7, 0.6, 0.8},
		{1, RSTAR_SCALING_MAJORITY, 1, 0.6, 0.5, 0.7},
	};
	char *svg = draw(points, 5, 2);

	CHECK(count(svg, "<path class=\"s t f") == 3);
	CHECK(count(svg, "&lt;b&gt;&amp;two") == 1 && count(svg, "<b>") == 0);
	free(svg);
}

/* Costs begin anywhere: the axis begins at the doubling below, here at 64 of 64 to 256. */
static void
costs(void)
{
	const rstar_scaling_point points[] = {
		{0, RSTAR_SCALING_PASS, 90.50966799, 0.4, 0.3, 0.5},
		{0, RSTAR_SCALING_PASS, 256, 0.6, 0.5, 0.7},
	};
	char *svg = draw(points, 2, 1);

	CHECK(strstr(svg, "d=\"M252.0 ") != NULL);
	CHECK(count(svg, ">64</text>") == 1 && count(svg, ">128</text>") == 1 &&
		  count(svg, ">256</text>") == 1);
	CHECK(count(svg, ">32</text>") == 0);
	free(svg);
}

static void
odd_numbers(void)
{
	const rstar_scaling_point flat[] = {{0, RSTAR_SCALING_PASS, 1, 0, 0, 0}};
	const rstar_scaling_point full[] = {{0, RSTAR_SCALING_PASS, 1, 1, 1, 1},
										{0, RSTAR_SCALING_PASS, 3, 1, 1, 1}};

	free(draw(NULL, 0, 1));
	free(draw(flat, 1, 1));
	free(draw(full, 2, 1));
	CHECK(rstar_scaling_measure_of("majority") == RSTAR_SCALING_MAJORITY);
	CHECK(rstar_scaling_measure_of("mean") == RSTAR_SCALING_MEASURES);
}

int
main(void)
{
	RUN(one_evaluation);
	RUN(several_evaluations);
	RUN(costs);
	RUN(odd_numbers);
	return CHECK_RESULT();
}
