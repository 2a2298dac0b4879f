/*
 * make_random_model.c
 *	  Writes a file of random weights in the shape of Qwen2.5-Math-1.5B.
 *
 *		make_random_model OUT.gguf VOCABULARY.gguf [TYPE, Q8_0 by default]
 *
 * The vocabulary is that of the second file, so the result is a model like the
 * real one in everything but its words.
 */
#include <fcntl.h>

#include "random_model.h"

int
main(int argc, char **argv)
{
	rstar_type type = RSTAR_TYPE_Q8_0;
	rstar_gguf *vocabulary = NULL;
	rstar_error err = {0};

	if (argc < 3 || (argc > 3 && !rstar_type_by_name(argv[3], &type)))
	{
		fprintf(stderr, "usage: %s OUT.gguf VOCABULARY.gguf [TYPE]\n", argv[0]);
		return 2;
	}
	if (rstar_gguf_open(argv[2], &rstar_allocator_malloc, &vocabulary, &err) != RSTAR_OK)
		fail(&err);

	int fd = open(argv[1], O_CREAT | O_TRUNC | O_RDWR, 0644);

	random_model(&shape_large, type, vocabulary, fd);
	rstar_gguf_close(vocabulary);
	return close(fd) == 0 ? 0 : 1;
}
