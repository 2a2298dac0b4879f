/*
 * main.c
 *	  rstar-sandbox: runs a step's Python where it can reach nothing.
 */
#include <stdio.h>

int
main(int argc, char **argv)
{
	(void) argc;
	fprintf(stderr, "%s: started by rstar only\n", argv[0]);
	return 2;
}
