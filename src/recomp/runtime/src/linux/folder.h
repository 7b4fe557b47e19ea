/* The list of names of an open folder. */
#ifndef RT_LINUX_FOLDER_H
#define RT_LINUX_FOLDER_H

#include "file.h"

typedef struct rt_folder rt_folder;

/* For a host file on which getdents64 was called: its state is a rt_folder. */
int64_t rt_folder_seek(rt_file *f, int64_t offset, int whence);
void rt_folder_close(rt_file *f);

#endif
