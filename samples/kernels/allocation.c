/* The heap: search trees and chains that grow, shrink and are given back, in blocks of many sizes. */
#include <string.h>

#include "kernel.h"

struct node {
    struct node *left, *right;
    uint32_t key, size;
    char payload[];
};

static struct node *insert(struct node *tree, uint64_t r)
{
    if (!tree) {
        uint32_t size = (uint32_t)(r >> 40 & 127);
        tree = must(malloc(sizeof *tree + size));
        *tree = (struct node){NULL, NULL, (uint32_t)r, size};
        memset(tree->payload, (int)(r >> 32), size);
        return tree;
    }
    struct node **side = (uint32_t)r < tree->key ? &tree->left : &tree->right;
    *side = insert(*side, r);
    return tree;
}

static struct node *remove_least(struct node *tree, uint64_t *hash)
{
    if (tree->left) {
        tree->left = remove_least(tree->left, hash);
        return tree;
    }
    struct node *rest = tree->right;
    *hash = fold(*hash, tree->key + (tree->size ? (unsigned char)tree->payload[tree->size - 1] : 0u));
    free(tree);
    return rest;
}

static void release(struct node *tree)
{
    if (!tree) return;
    release(tree->left);
    release(tree->right);
    free(tree);
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    uint64_t hash = 0;
    struct node *tree = NULL;
    int nodes = 0;
    char *text = NULL;
    size_t length = 0;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t r = next_random(&seed);
        if (nodes > 400 && (r >> 60) < 9) {
            tree = remove_least(tree, &hash);
            nodes--;
        } else {
            tree = insert(tree, r);
            nodes++;
        }
        if (nodes == 2000) release(tree), tree = NULL, nodes = 0;
        if (i % 16 == 0) {
            length = length > 5000 ? 1 : length + (r & 255) + 1;
            text = must(realloc(text, length));
            text[length - 1] = (char)r;
            hash = fold(hash, (unsigned char)text[0]);
        }
    }
    release(tree);
    free(text);
    return hash;
}
