/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scanners/s3_page.h"
#include "scanners/s3_xml.h"
#include "tests/support/unit.h"

static int parse(struct ebb_s3_page *page, const char *doc, struct ebb_err *err)
{
	ebb_s3_page_init(page);
	return ebb_s3_page_parse(page, doc, strlen(doc), err);
}

START_TEST(objects_are_told_with_all_that_is_known)
{
	static const char doc[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>x%2F</Prefix>"
		"<Contents><Key>a+b%2B%25%00c</Key></Contents></ListBucketResult>";
	static const char good[] =
		"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>"
		"<Contents><Key>a+b%2Bc%25%0A%F0%9F%A6%80</Key><LastModified>2009-10-12T17:50:30.123Z</LastModified>"
		"<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>"
		"<StorageClass>GLACIER</StorageClass><Owner><ID>o</ID></Owner></Contents>"
		"<Contents><Key>b</Key><LastModified>nonsense</LastModified><Size>0</Size></Contents>"
		"<CommonPrefixes><Prefix>c%2F</Prefix></CommonPrefixes>"
		"<EncodingType>url</EncodingType></ListBucketResult>";
	struct ebb_s3_page page;
	struct ebb_record rec;
	struct ebb_err err = {0};
	char etag[EBB_RECORD_ETAG_TEXT];

	ck_assert_int_eq(parse(&page, good, &err), 0);
	ck_assert_uint_eq(page.n, 3);
	ck_assert(page.truncated);
	ck_assert_str_eq(page.next_token, "t&1");
	ck_assert_str_eq(page.entries[0].key, "a b+c%\n\U0001f980");
	ck_assert_int_eq(page.entries[0].time, INT64_C(1255369830000000000));
	ck_assert_str_eq(page.entries[0].class, "GLACIER");
	ebb_s3_page_record(&page.entries[0], &rec);
	ck_assert_int_eq(rec.f[EBB_F_SIZE], 434234);
	ck_assert_int_eq(rec.f[EBB_F_CLASS], ebb_record_class_code("GLACIER"));
	ck_assert(ebb_record_etag_text(&rec, etag));
	ck_assert_str_eq(etag, "fba9dede5f27731c9771645a39863328");
	ebb_s3_page_record(&page.entries[1], &rec);
	ck_assert(!ebb_record_has(&rec, EBB_F_MTIME) && !ebb_record_has(&rec, EBB_F_PARTS));
	ck_assert_int_eq(page.entries[2].kind, EBB_KIND_DIR);
	ck_assert_str_eq(page.entries[2].key, "c/");
	/* not encoded: the percent signs are the key's own */
	ck_assert_int_eq(ebb_s3_page_parse(&page, doc, strlen(doc), &err), 0);
	ck_assert_str_eq(page.entries[0].key, "a+b%2B%25%00c");
	ebb_s3_page_release(&page);
}
END_TEST

START_TEST(control_characters_are_understood)
{
	static const char doc[] = "<ListBucketResult><Prefix>&#x01;</Prefix><Contents><Key>&#x01;a&amp;&#31;&#x9;\U0001f980&#1;"
				  "</Key></Contents></ListBucketResult>";
	struct ebb_s3_page page;
	struct ebb_err err = {0};

	ck_assert_msg(parse(&page, doc, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(page.entries[0].key, "\x01" "a&\x1f\t\U0001f980\x01");
	ebb_s3_page_release(&page);
}
END_TEST

START_TEST(versions_uploads_and_parts)
{
	static const char versions[] =
		"<ListVersionsResult><KeyMarker>k</KeyMarker><NextKeyMarker>k2</NextKeyMarker>"
		"<NextVersionIdMarker>v2</NextVersionIdMarker><IsTruncated>true</IsTruncated>"
		"<Version><Key>k</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest><Size>3</Size></Version>"
		"<DeleteMarker><Key>k2</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest></DeleteMarker>"
		"</ListVersionsResult>";
	static const char uploads[] = "<ListMultipartUploadsResult><Upload><Key>u</Key><UploadId>id</UploadId>"
				      "<Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload>"
				      "</ListMultipartUploadsResult>";
	static const char parts[] = "<ListPartsResult><Key>u</Key><Part><PartNumber>2</PartNumber><Size>7</Size>"
				    "<ETag>\"e\"</ETag></Part></ListPartsResult>";
	struct ebb_s3_page page;
	struct ebb_err err = {0};

	ck_assert_int_eq(parse(&page, versions, &err), 0);
	ck_assert_uint_eq(page.n, 2);
	ck_assert_int_eq(page.entries[0].kind, EBB_KIND_VERSION);
	ck_assert(!page.entries[0].latest);
	ck_assert_int_eq(page.entries[1].kind, EBB_KIND_MARKER);
	ck_assert(page.entries[1].latest);
	ck_assert_str_eq(page.entries[1].id, "v2");
	ck_assert_str_eq(page.next_key, "k2");
	ck_assert_str_eq(page.next_id, "v2");
	ck_assert_int_eq(ebb_s3_page_parse(&page, uploads, strlen(uploads), &err), 0);
	ck_assert_int_eq(page.entries[0].kind, EBB_KIND_UPLOAD);
	ck_assert_str_eq(page.entries[0].id, "id");
	ck_assert_int_gt(page.entries[0].time, 0);
	ck_assert_int_eq(ebb_s3_page_parse(&page, parts, strlen(parts), &err), 0);
	ck_assert_int_eq(page.entries[0].part, 2);
	ck_assert_int_eq(page.entries[0].size, 7);
	ck_assert_str_eq(page.entries[0].etag, "e");
	ebb_s3_page_release(&page);
}
END_TEST

START_TEST(what_is_no_listing_is_corrupt)
{
	static const char *const bad[] = {
		"",
		"<",
		"no xml",
		"<html><body>proxy error</body></html>",
		"<ListBucketResult><Contents><Key>a</Key></Contents>",
		"<ListBucketResult><Contents><Key></Key></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a%00b</Key></Contents><EncodingType>url</EncodingType></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a&#0;</Key></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a&#x1</Key></Contents></ListBucketResult>",
		"<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult><Contents><Key>&b;</Key></Contents></ListBucketResult>",
		("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></a></a></a>"
		 "</a></a></a></a>"),
	};
	struct ebb_s3_page page;

	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		struct ebb_err err = {0};

		ck_assert_msg(parse(&page, bad[i], &err) == -EBB_ECORRUPT && err.msg[0], "%s", bad[i]);
		ebb_s3_page_release(&page);
	}
}
END_TEST

START_TEST(small_answers_are_searched)
{
	static const char doc[] = "<Error><Code>SlowDown</Code><Resource><Code>inner</Code></Resource></Error>";
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(100);

	ck_assert_int_eq(ebb_s3_xml_find(doc, strlen(doc), "Error", "Code", &out), 1);
	ck_assert_str_eq(out.data, "SlowDown");
	ebb_buf_clear(&out);
	ck_assert_int_eq(ebb_s3_xml_find(doc, strlen(doc), "Resource", "Code", &out), 1);
	ck_assert_str_eq(out.data, "inner");
	ck_assert_int_eq(ebb_s3_xml_find(doc, strlen(doc), "Error", "Message", &out), 0);
	ck_assert_int_eq(ebb_s3_xml_find("nothing", 7, "Error", "Code", &out), 0);
}
END_TEST

START_TEST(text_is_escaped_and_comes_back)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT(1000), out = EBB_BUF_INIT(100);
	static const char text[] = "a&b<c>\"'\t\n\r ]]>";

	ck_assert_int_eq(ebb_buf_adds(&doc, "<R><K>"), 0);
	ck_assert_int_eq(ebb_s3_xml_escape(&doc, text, sizeof(text) - 1), 0);
	ck_assert_int_eq(ebb_buf_adds(&doc, "</K></R>"), 0);
	ck_assert_int_eq(ebb_s3_xml_find(doc.data, doc.len, "R", "K", &out), 1);
	ck_assert_str_eq(out.data, text);
}
END_TEST

EBB_UNIT_MAIN("s3_page", objects_are_told_with_all_that_is_known, control_characters_are_understood,
	      versions_uploads_and_parts,
	      what_is_no_listing_is_corrupt, small_answers_are_searched, text_is_escaped_and_comes_back)
