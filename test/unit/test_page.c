/*
 * test_page.c
 *	  Pages of HTML: whatever is written in them, the tags are ours.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "core/picture/page.h"

static rstar_string
string_of(const char *text)
{
	return (rstar_string){text, strlen(text)};
}

static void
whole_page(void)
{
	rstar_buffer out;
	rstar_svg page = {.out = &out};

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	rstar_page_begin(&page, string_of("</title><script>&"));
	rstar_page_section(&page, "Heading", "A note.");
	rstar_page_table_begin(&page);
	rstar_page_row_begin(&page);
	rstar_page_cell(&page, string_of("<b>"), true);
	rstar_page_cell(&page, string_of("-1,234.5 %"), false);
	rstar_page_cell(&page, string_of("1 <i>"), false);
	rstar_page_cell(&page, (rstar_string){NULL, 0}, false);
	rstar_page_share(&page, 0.5);
	rstar_page_share(&page, NAN);
	rstar_page_share(&page, -3);
	rstar_page_row_end(&page);
	rstar_page_table_end(&page);
	rstar_page_figures_begin(&page);
	rstar_page_figure(&page, string_of("<svg/>"), RSTAR_PAGE_FITTED);
	rstar_page_figures_end(&page);
	rstar_page_end(&page);

	CHECK(!page.failed);
	CHECK(strncmp(out.data, "<!DOCTYPE html>", 15) == 0);
	CHECK(strcmp(out.data + out.length - 8, "</html>\n") == 0);
	CHECK(!strstr(out.data, "<script") && !strstr(out.data, "<i>") && !strstr(out.data, "nan"));
	CHECK(strstr(out.data, "<title>&lt;/title&gt;&lt;script&gt;&amp;</title>") != NULL);
	CHECK(strstr(out.data, "<th>&lt;b&gt;</th><td class=\"n\">-1,234.5 %</td>"
						   "<td class=\"k\">1 &lt;i&gt;</td><td class=\"k\"></td>") != NULL);
	CHECK(strstr(out.data, "50.0%,transparent 50.0%)\">50.0 %</td>") != NULL);
	CHECK(strstr(out.data, "0.0%,transparent 0.0%)\">0.0 %</td></tr>") != NULL);
	CHECK(strstr(out.data, "<figure class=\"fit\"><svg/></figure>") != NULL);
	rstar_buffer_free(&out);
}

/* A text without end is cut, between characters. */
static void
long_text(void)
{
	char text[9000];
	rstar_buffer out;
	rstar_svg page = {.out = &out};

	for (size_t i = 0; i < sizeof text; i += 3)
		memcpy(text + i, "\xe2\x89\xa4", 3);
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	rstar_page_text(&page, (rstar_string){text, sizeof text});
	CHECK(out.length == 2001 * 3); /* 2000 characters and an ellipsis */
	rstar_buffer_free(&out);
}

int
main(void)
{
	RUN(whole_page);
	RUN(long_text);
	return CHECK_RESULT();
}
