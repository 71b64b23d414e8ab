/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_TREE_H
#define FAULTS_TREE_H

#include "faults/disk.h"

/* Files and their names at one moment. */
struct bytes {
    uint8_t *data;
    size_t len, cap;
};

struct entry {
    unsigned dir, file;
    bool folder;
    const char *text;
};

struct names {
    struct entry *list;
    size_t count, cap;
};

struct tree {
    struct names names;
    struct bytes *files; /* by inode */
    bool *own;           /* which of them go with the tree */
    unsigned count;
};

struct tree *tree_new(unsigned files);
void names_add(struct names *names, const struct entry *e);

#endif
