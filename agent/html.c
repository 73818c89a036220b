/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/html.h"

#include <string.h>

#include "core/utf8.h"

/*
 * The palette is that of Okabe and Ito, which stays apart for colour-blind readers (jfly.uni-koeln.de/color, 2008); on dark ground lightened
 * where contrast asks for it. Pictures also carry their labels as text.
 */
static const char style[] =
	":root{color-scheme:light dark}"
	"body{margin:0;background:#f6f7f9;color:#1c2733;font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,"
	"'Helvetica Neue',Arial,sans-serif}"
	"main{max-width:1120px;margin:0 auto;padding:16px}"
	"h1{font-size:24px;margin:8px 0 0;line-height:1.2}h2{font-size:16px;margin:0 0 8px}"
	".sub{color:#5b6875;margin:4px 0 16px}"
	".cards{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 12px}"
	".card{flex:1 1 150px;background:#fff;border:1px solid #dfe4ea;border-radius:8px;padding:10px 14px}"
	".card .w{color:#5b6875;font-size:13px}.card .f{font-size:22px;font-weight:650;line-height:1.3}"
	".card .r{color:#5b6875;font-size:12.5px}"
	".grid{display:flex;flex-wrap:wrap;gap:12px;align-items:stretch}"
	"section{flex:1 1 440px;min-width:0;background:#fff;border:1px solid #dfe4ea;border-radius:8px;padding:14px 16px}"
	"section.wide{flex-basis:100%}"
	"table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}"
	"th{text-align:left;color:#5b6875;font-weight:500;border-bottom:1px solid #dfe4ea;padding:3px 8px 3px 0}"
	"td{padding:3px 8px 3px 0;border-bottom:1px solid #eef1f4;vertical-align:top;overflow-wrap:break-word}"
	".num{text-align:right;white-space:nowrap}.num small{white-space:normal;color:#5b6875}"
	".bar{min-width:60px;width:30%;vertical-align:middle}.bar i{display:block;height:10px;border-radius:3px;background:#0072b2}"
	".key{overflow-wrap:anywhere;font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:12.5px}"
	".sign{border-bottom:1px solid #9aa6b2;padding:14px 0 2px;margin:0 0 8px;color:#5b6875;font-size:12.5px}ul{margin:0;padding-left:20px}"
	".scroll{overflow-x:auto}"
	"svg{display:block;width:100%;height:auto}"
	"svg text{font:11px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:#45525f}"
	"svg .grid-line{stroke:#e3e8ed;stroke-width:1}svg .axis{stroke:#9aa6b2;stroke-width:1}"
	"svg .line{fill:none;stroke:#0072b2;stroke-width:2;stroke-linejoin:round}svg .next{stroke-dasharray:4 3}"
	"svg .with{stroke:#007a5a;stroke-dasharray:2 3}"
	"svg .area{fill:#0072b2;opacity:.12}svg .band{fill:#0072b2;opacity:.16}svg .mark{fill:#d55e00}"
	"svg .c0{fill:#0072b2}svg .c1{fill:#009e73}svg .c2{fill:#b8860b}svg .c3{fill:#a64d79}svg .c4{fill:#d55e00}"
	"svg .c5{fill:#3d6d99}svg .c6{fill:#6a7b3f}svg .c7{fill:#6b7785}"
	"svg .box{stroke:#fff;stroke-width:1.5}svg text.on{fill:#fff}"
	".note{color:#5b6875;font-size:13px;margin:8px 0 0}.warn{border-left:4px solid #d55e00;padding:4px 10px;margin:0 0 8px}"
	"details{margin-top:8px;font-size:13px}summary{cursor:pointer;color:#5b6875}"
	"ol{margin:0;padding-left:22px}li{margin:0 0 6px}footer{color:#5b6875;font-size:12.5px;margin:16px 0}"
	"a{color:#0072b2}"
	"@media(prefers-color-scheme:dark){body{background:#12171d;color:#e3e9ef}.sub,.card .w,.card .r,th,.note,summary,footer,.num small"
	"{color:#9fb0c0}.card,section{background:#1a2129;border-color:#2c3641}th{border-color:#2c3641}td{border-color:#242d37}"
	".bar i{background:#56b4e9}svg text{fill:#b9c6d2}svg .grid-line{stroke:#2a343f}svg .axis{stroke:#66727e}svg .line{stroke:#56b4e9}svg .with{stroke:#35c79a}"
	"svg .area,svg .band{fill:#56b4e9}svg .box{stroke:#1a2129}svg text.on{fill:#fff}a{color:#56b4e9}}"
	"@media print{body{background:#fff;color:#000}section,.card{break-inside:avoid;border-color:#bbb}main{max-width:none;padding:0}"
	"details{display:block}}"
	"@media(max-width:520px){main{padding:10px}section{flex-basis:100%;padding:12px}.card{flex-basis:130px}.bar,td.wide,th.wide{display:none}"
	"table{font-size:12.5px}th,td{padding-right:5px}}";

void ebb_html_bytes(FILE *f, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t point;
		size_t n = ebb_utf8_decode(s + i, len - i, &point);
		unsigned char c = (unsigned char)s[i];

		if (n == 0 || c < 0x20 || c == 0x7f) {
			fprintf(f, "\\x%02x", c);
			i++;
			continue;
		}
		if (c == '<')
			fputs("&lt;", f);
		else if (c == '>')
			fputs("&gt;", f);
		else if (c == '&')
			fputs("&amp;", f);
		else if (c == '"')
			fputs("&quot;", f);
		else if (c == '\'')
			fputs("&#39;", f);
		else
			fwrite(s + i, 1, n, f);
		i += n;
	}
}

void ebb_html_text(FILE *f, const char *s)
{
	ebb_html_bytes(f, s, strlen(s));
}

void ebb_html_query(FILE *f, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-_./", c))
			putc(c, f);
		else
			fprintf(f, "%%%02X", c);
	}
}

void ebb_html_begin(FILE *f, const char *title, const char *subtitle)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>", f);
	ebb_html_text(f, title);
	fprintf(f, "</title>\n<style>%s</style></head>\n<body><main>\n<h1>", style);
	ebb_html_text(f, title);
	fputs("</h1>\n", f);
	if (subtitle)
		ebb_html_para(f, "sub", subtitle);
}

void ebb_html_end(FILE *f, const char *note)
{
	fputs("<footer>", f);
	ebb_html_text(f, note);
	fputs("</footer>\n</main></body></html>\n", f);
}

void ebb_html_section(FILE *f, const char *title, int wide)
{
	fprintf(f, "<section%s><h2>", wide ? " class=\"wide\"" : "");
	ebb_html_text(f, title);
	fputs("</h2>\n", f);
}

void ebb_html_section_end(FILE *f)
{
	fputs("</section>\n", f);
}

void ebb_html_cards(FILE *f)
{
	fputs("<div class=\"cards\">\n", f);
}

void ebb_html_card(FILE *f, const char *word, const char *figure, const char *remark)
{
	fputs("<div class=\"card\"><div class=\"w\">", f);
	ebb_html_text(f, word);
	fputs("</div><div class=\"f\">", f);
	ebb_html_text(f, figure);
	fputs("</div>", f);
	if (remark) {
		fputs("<div class=\"r\">", f);
		ebb_html_text(f, remark);
		fputs("</div>", f);
	}
	fputs("</div>\n", f);
}

void ebb_html_cards_end(FILE *f)
{
	fputs("</div>\n", f);
}

void ebb_html_para(FILE *f, const char *class, const char *text)
{
	fputs("<p", f);
	if (class)
		fprintf(f, " class=\"%s\"", class);
	fputs(">", f);
	ebb_html_text(f, text);
	fputs("</p>\n", f);
}

static void cells(FILE *f, const char *tag, const char *align, const char *const *cell)
{
	fputs("<tr>", f);
	for (size_t i = 0; align[i]; i++) {
		fprintf(f, "<%s%s>", tag,
			align[i] == 'r' ? " class=\"num\"" : align[i] == 'b' ? " class=\"bar\"" : align[i] == 'R' ? " class=\"num wide\"" :
			align[i] == 'L' ? " class=\"wide\"" : "");
		if (cell[i])
			ebb_html_text(f, cell[i]);
		fprintf(f, "</%s>", tag);
	}
	fputs("</tr>\n", f);
}

void ebb_html_table(FILE *f, const char *align, const char *const *heads)
{
	fputs("<div class=\"scroll\"><table><thead>", f);
	cells(f, "th", align, heads);
	fputs("</thead><tbody>\n", f);
}

void ebb_html_row(FILE *f, const char *align, const char *const *cell)
{
	cells(f, "td", align, cell);
}

void ebb_html_table_end(FILE *f)
{
	fputs("</tbody></table></div>\n", f);
}
