/* The address space: permissions, attributes, views, transfer memory. */
#include "check.h"

#include <nx/process.h>
#include <nx/thread.h>
#include <stdlib.h>

static struct nx_memory_info query(const void *address)
{
    struct nx_memory_info info = {0};
    CHECK_OK(nx_query_memory(&info, address));
    return info;
}

static void check_queries(void)
{
    struct nx_memory_info info = query((void *)(uintptr_t)check_queries);
    check("code may be read and executed", info.permission, 5);
    check("code is code", info.type == 3 || info.type == 8, 1);
    static const int constant = 5;
    check("constants may be read", query(&constant).permission, 1);
    static int variable;
    info = query(&variable);
    check("data may be written", info.permission, 3);
    check("data is data", info.type == 4 || info.type == 9, 1);
    int local;
    check("a stack is a stack", query(&local).type, 11);
    info = query(nx_environment.heap);
    check("the heap is a heap", info.type, NX_MEMORY_HEAP);
    check("the heap may be written", info.permission, 3);
    uint64_t start = 0, size = 0;
    CHECK_OK(nx_get_info(&start, 12, NX_SELF_PROCESS, 0));
    CHECK_OK(nx_get_info(&size, 13, NX_SELF_PROCESS, 0));
    info = query((void *)(start + size - NX_PAGE));
    check("nothing is mapped at the end", info.type, 0);
    info = query((void *)((uint64_t)1 << 40));
    check("beyond the address space", info.type, 0x10);
    check("from its end", info.base, start + size);
    check("to the last byte", info.base + info.size, 0);
}

static void check_permissions(char *page)
{
    CHECK_OK(nx_set_memory_permission(page, NX_PAGE, NX_PERMISSION_R));
    check("read-only", query(page).permission, NX_PERMISSION_R);
    check("one page of it", query(page).size, NX_PAGE);
    CHECK_OK(nx_set_memory_permission(page, NX_PAGE, NX_PERMISSION_RW));
    page[0] = 1;
    check("an odd address", nx_set_memory_permission(page + 1, NX_PAGE, NX_PERMISSION_R), INVALID_ADDRESS);
    check("no size", nx_set_memory_permission(page, 0, NX_PERMISSION_R), INVALID_SIZE);
    check("an odd size", nx_set_memory_permission(page, 5, NX_PERMISSION_R), INVALID_SIZE);
    check("executable", nx_set_memory_permission(page, NX_PAGE, 7), INVALID_PERMISSION);
    check("what is not there", nx_set_memory_permission((void *)((uint64_t)1 << 40), NX_PAGE, NX_PERMISSION_R), INVALID_STATE);
    CHECK_OK(nx_set_memory_attribute(page, NX_PAGE, 8, 8));
    check("uncached", query(page).attributes & 8, 8);
    CHECK_OK(nx_set_memory_attribute(page, NX_PAGE, 8, 0));
    check("a value outside the mask", nx_set_memory_attribute(page, NX_PAGE, 8, 16), INVALID_COMBINATION);
}

static void check_views(char *page)
{
    char *view = nx_find_range(NX_PAGE, 14);
    strcpy(page, "first");
    CHECK_OK(nx_map_memory(view, page, NX_PAGE));
    check("the view shows the page", (uint64_t)strcmp(view, "first"), 0);
    check("the page is closed meanwhile", query(page).permission, 0);
    check("and locked", query(page).attributes & 1, 1);
    check("the view is a stack", query(view).type, 11);
    strcpy(view, "second");
    check("map it again", nx_map_memory(view + 8 * NX_PAGE, page, NX_PAGE), INVALID_STATE);
    CHECK_OK(nx_unmap_memory(view, page, NX_PAGE));
    check("the page has what was written", (uint64_t)strcmp(page, "second"), 0);
    check("it is open again", query(page).permission, 3);
    check("unmap it again", nx_unmap_memory(view, page, NX_PAGE), INVALID_STATE);
    check("a view outside the region", nx_map_memory((void *)0x100000000, page, NX_PAGE), INVALID_RANGE);
    check("an odd view", nx_map_memory(view + 1, page, NX_PAGE), INVALID_ADDRESS);
}

static void check_sharing(char *page)
{
    nx_handle memory;
    CHECK_OK(nx_create_transfer_memory(&memory, page, NX_PAGE, NX_PERMISSION_RW));
    CHECK_OK(nx_close_handle(memory));
    check("the page is open again", query(page).permission, 3);
    check("an odd address", nx_create_transfer_memory(&memory, page + 1, NX_PAGE, 0), INVALID_ADDRESS);
    check("no size", nx_create_transfer_memory(&memory, page, 0, 0), INVALID_SIZE);
    check("map an unknown handle", nx_map_shared_memory(0x123456, nx_find_range(NX_PAGE, 12), NX_PAGE, 1), INVALID_HANDLE);
}

void check_memory(void)
{
    check_queries();
    char *page = aligned_alloc(NX_PAGE, NX_PAGE);
    check_permissions(page);
    check_views(page);
    check_sharing(page);
    free(page);
    void *volatile all = malloc(nx_environment.heap_size); /* else the compiler knows better */
    check("more than there is", all == NULL, 1);
    char *a = malloc(100), *b = calloc(3, 50), *c = realloc(a, 5000);
    check("memory", a && b && c && !b[149], 1);
    free(b);
    free(c);
}
