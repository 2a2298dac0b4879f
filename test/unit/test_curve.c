/*
 * test_curve.c
 *	  Loss curves as pictures: whole files, whatever the numbers and the title are.
 */
#include "svg_check.h"

#include "core/picture/curve.h"

static char *
draw(const rstar_curve_point *points, size_t n, const char *title)
{
	rstar_curve curve = {{title, strlen(title)}, {"a note", 6}, points, n};
	rstar_buffer out;
	rstar_error err = {0};

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK_MSG(rstar_curve_svg(&curve, &out, &err) == RSTAR_OK, "%s", err.message);
	return checked_svg(&out);
}

static void
ordinary_run(void)
{
	rstar_curve_point points[201];
	char *svg;

	for (int i = 0; i <= 200; i++)
		points[i] =
			(rstar_curve_point){i, i > 0 ? 7 * exp(-i / 40.0) : NAN,
								i % 50 == 0 ? 7.1 * exp(-i / 40.0) : NAN, i > 0 ? 2e-3 : NAN};
	svg = draw(points, 201, "Run 1: <script>&\"x\"");
	CHECK(count(svg, "<circle") == 5);
	CHECK(count(svg, "<script") == 0 && strstr(svg, "&lt;script&gt;&amp;") != NULL);
	CHECK(strstr(svg, ">0.1<") != NULL); /* more than a factor of ten: a logarithmic scale */
	free(svg);
}

/* More steps than columns of pixels: bands between the lowest and the highest of each. */
static void
many_steps(void)
{
	size_t n = 20000;
	rstar_curve_point *points = malloc(n * sizeof *points);
	char *svg;

	for (size_t i = 0; i < n; i++)
		points[i] = (rstar_curve_point){(double) i, 2 + sin((double) i), NAN, 1e-3};
	svg = draw(points, n, "long");
	CHECK(count(svg, "<rect class=\"s\"") > 700);
	CHECK(strlen(svg) < 200000);
	free(svg);
	free(points);
}

static void
odd_numbers(void)
{
	rstar_curve_point one = {5, 1.5, NAN, NAN};
	rstar_curve_point odd[] = {{1, INFINITY, NAN, 0}, {2, -3, 0, INFINITY}, {3, 0, 1e30, NAN}};
	rstar_curve_point flat[] = {{1, 0.5, 0.5, 1}, {2, 0.5, 0.5, 1}};

	free(draw(NULL, 0, ""));
	free(draw(&one, 1, "one"));
	free(draw(odd, 3, "odd"));
	free(draw(flat, 2, "flat"));
}

int
main(void)
{
	RUN(ordinary_run);
	RUN(many_steps);
	RUN(odd_numbers);
	return CHECK_RESULT();
}
