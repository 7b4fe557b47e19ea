#include "check.h"

#include <nx/applet.h>

static void group(const char *name, void (*run)(void))
{
    printf("[%s]\n", name);
    run();
}

int main(void)
{
    CHECK_OK(nx_manager_open());
    group("kernel", check_kernel);
    group("memory", check_memory);
    group("threads", check_threads);
    group("messages", check_messages);
    group("settings", check_settings);
    group("applet", check_applet);
    group("input", check_input);
    group("time", check_time);
    group("files", check_files);
    group("audio", check_audio);
    group("display", check_display);
    group("waiting", check_waiting);
    group("network", check_network);
    nx_applet_close();
    nx_manager_close();
    printf("end\n");
    return 0;
}
