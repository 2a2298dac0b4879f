/*
 * test_sha256.c
 *	  The standard's examples, and that pieces do not matter.
 */
#include "check.h"

#include "core/base/sha256.h"

static void
expect(const char *text, size_t repeat, const char *wanted)
{
	rstar_sha256 hash;
	char found[RSTAR_SHA256_TEXT_SIZE];

	rstar_sha256_init(&hash);
	for (size_t i = 0; i < repeat; i++)
		rstar_sha256_update(&hash, text, strlen(text));
	rstar_sha256_finish_text(&hash, found);
	CHECK_STR(found, wanted);
}

static void
known_digests(void)
{
	expect("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	expect("aaaaaaaaaa", 100000,
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
any_pieces(void)
{
	unsigned char text[300];
	char whole[RSTAR_SHA256_TEXT_SIZE];
	char pieces[RSTAR_SHA256_TEXT_SIZE];
	rstar_sha256 hash;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (unsigned char) (i * 7);
	for (size_t length = 0; length <= sizeof text; length++)
	{
		size_t first = length * 2 / 5;

		rstar_sha256_init(&hash);
		rstar_sha256_update(&hash, text, length);
		rstar_sha256_finish_text(&hash, whole);
		rstar_sha256_init(&hash);
		rstar_sha256_update(&hash, text, first);
		rstar_sha256_update(&hash, text + first, 0);
		for (size_t i = first; i < length; i++)
			rstar_sha256_update(&hash, text + i, 1);
		rstar_sha256_finish_text(&hash, pieces);
		CHECK_STR(pieces, whole);
	}
}

int
main(void)
{
	RUN(known_digests);
	RUN(any_pieces);
	return CHECK_RESULT();
}
