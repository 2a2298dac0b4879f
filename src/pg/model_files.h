/*
 * model_files.h
 *	  The files behind the rows of rstar.models.
 *
 * A row's path is the name of a file in rstar.model_directory, or "$share/"
 * and the name of a shipped one: no directories, no "..", nothing absolute.
 * That is checked at every open, whatever the row says, and so is that the
 * name leads to a regular file, not to a link, and that the file has the
 * length that the row says.
 */
#ifndef RSTAR_PG_MODEL_FILES_H
#define RSTAR_PG_MODEL_FILES_H

#include "postgres.h"

#include "pg/models.h"

/*
 * Open a row's file for reading. The caller closes the descriptor before
 * anything can raise an error.
 */
extern int rstar_model_file_open(const rstar_model_row *row);

#endif
