/*
 * page.c
 *	  A page of HTML.
 */
#include "core/picture/page.h"

#include <math.h>

#define TEXT_LIMIT  2000 /* characters */
#define SHORT_LIMIT 32   /* bytes of a cell that is not broken */

static const char style[] =
	"<style>"
	":root{color-scheme:light dark;--ink:#1f2328;--paper:#fff;--pale:#656d76;--line:#d0d7de;"
	"--bar:#cfe3f5}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--pale:#9198a1;"
	"--line:#3d444d;--bar:#12436d}}"
	"body{margin:0 auto;max-width:1340px;padding:12px 16px 48px;background:var(--paper);"
	"color:var(--ink);font:15px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	"h1{font-size:24px;margin:12px 0;overflow-wrap:anywhere}"
	"h2{font-size:18px;margin:32px 0 4px}p{margin:4px 0 10px;color:var(--pale);max-width:70em}"
	".t,figure{overflow-x:auto;max-width:100%}table{border-collapse:collapse;font-size:13px}"
	"th,td{padding:4px 10px;border-bottom:1px solid var(--line);text-align:left;"
	"vertical-align:top;max-width:36em;overflow-wrap:break-word;white-space:pre-wrap}"
	"th{font-weight:600}th:only-of-type{min-width:8em}.k,.n{white-space:nowrap}"
	".n{text-align:right;font-variant-numeric:tabular-nums}"
	".f{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr))}"
	"figure{margin:0;min-width:0}figure svg{display:block}"
	".fit svg{width:100%;min-width:560px;height:auto}"
	"</style>\n";

void
rstar_page_begin(rstar_svg *page, rstar_string title)
{
	rstar_svg_put(page,
				  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
				  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
				  "style-src 'unsafe-inline'\"/>\n"
				  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
				  "<title>");
	rstar_page_text(page, title);
	rstar_svg_put(page, "</title>\n");
	rstar_svg_put(page, style);
	rstar_svg_put(page, "</head>\n<body>\n<h1>");
	rstar_page_text(page, title);
	rstar_svg_put(page, "</h1>\n");
}

void
rstar_page_end(rstar_svg *page)
{
	rstar_svg_put(page, "</body>\n</html>\n");
}

void
rstar_page_text(rstar_svg *page, rstar_string text)
{
	rstar_svg_lines(page, text, TEXT_LIMIT);
}

void
rstar_page_section(rstar_svg *page, const char *heading, const char *note)
{
	rstar_svg_put(page, "<h2>");
	rstar_svg_put(page, heading);
	rstar_svg_put(page, "</h2>\n");
	if (note)
		rstar_page_remark(page, note);
}

void
rstar_page_remark(rstar_svg *page, const char *remark)
{
	rstar_svg_put(page, "<p>");
	rstar_svg_put(page, remark);
	rstar_svg_put(page, "</p>\n");
}

/* --- tables ------------------------------------------------------------------------------ */

void
rstar_page_table_begin(rstar_svg *page)
{
	rstar_svg_put(page, "<div class=\"t\"><table>\n");
}

void
rstar_page_table_end(rstar_svg *page)
{
	rstar_svg_put(page, "</table></div>\n");
}

void
rstar_page_row_begin(rstar_svg *page)
{
	rstar_svg_put(page, "<tr>");
}

void
rstar_page_row_end(rstar_svg *page)
{
	rstar_svg_put(page, "</tr>\n");
}

/* Digits, and what stands between and behind them. */
static bool
is_figure(rstar_string text)
{
	for (size_t i = 0; i < text.length; i++)
	{
		char c = text.data[i];

		if (!((c >= '0' && c <= '9') || c == '.' || c == ',' || c == '-' || c == ':' || c == ' ' ||
			  c == '%'))
			return false;
	}
	return text.length > 0;
}

static const char *
cell_tag(rstar_string text, bool heading)
{
	if (heading)
		return "<th>";
	if (is_figure(text))
		return "<td class=\"n\">";
	return text.length <= SHORT_LIMIT ? "<td class=\"k\">" : "<td>";
}

void
rstar_page_cell(rstar_svg *page, rstar_string text, bool heading)
{
	rstar_svg_put(page, cell_tag(text, heading));
	rstar_page_text(page, text);
	rstar_svg_put(page, heading ? "</th>" : "</td>");
}

void
rstar_page_share(rstar_svg *page, double share)
{
	double percent = 100 * (isfinite(share) ? fmin(fmax(share, 0), 1) : 0);

	rstar_svg_printf(page,
					 "<td class=\"n\" style=\"background:linear-gradient(to right,var(--bar) "
					 "%.1f%%,transparent %.1f%%)\">%.1f %%</td>",
					 percent, percent, percent);
}

/* --- pictures ---------------------------------------------------------------------------- */

void
rstar_page_figures_begin(rstar_svg *page)
{
	rstar_svg_put(page, "<div class=\"f\">\n");
}

void
rstar_page_figures_end(rstar_svg *page)
{
	rstar_svg_put(page, "</div>\n");
}

void
rstar_page_figure(rstar_svg *page, rstar_string svg, rstar_page_fit fit)
{
	rstar_svg_put(page, fit == RSTAR_PAGE_FITTED ? "<figure class=\"fit\">" : "<figure>");
	page->failed = page->failed || !rstar_buffer_append(page->out, svg.data, svg.length);
	rstar_svg_put(page, "</figure>\n");
}
