/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CHILDREN 8

static struct {
    pthread_mutex_t lock; /* whoever cleans up keeps it: nothing starts after that */
    sigset_t signals;
    pid_t children[MAX_CHILDREN];
    char folder[4096];
} program = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

bool program_remove(const char *folder)
{
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

static void clean_up(void)
{
    (void)pthread_mutex_lock(&program.lock);
    for (size_t i = 0; i < MAX_CHILDREN; i++) {
        if (program.children[i] <= 0)
            continue;
        (void)kill(program.children[i], SIGKILL);
        (void)waitpid(program.children[i], NULL, 0);
    }
    /* Again, if the program was adding files meanwhile. */
    for (int i = 0; i < 3 && program.folder[0] != '\0'; i++) {
        if (program_remove(program.folder))
            break;
    }
}

static void *await_signal(void *unused)
{
    int signal_number = 0;
    (void)unused;
    (void)sigwait(&program.signals, &signal_number);
    clean_up();
    _exit(128 + signal_number);
}

void program_start(void)
{
    pthread_t thread;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&program.signals);
    (void)sigaddset(&program.signals, SIGINT);
    (void)sigaddset(&program.signals, SIGTERM);
    (void)sigaddset(&program.signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &program.signals, NULL);
    if (pthread_create(&thread, NULL, await_signal, NULL) != 0 || pthread_detach(thread) != 0 ||
        atexit(clean_up) != 0)
        die("start");
}

const char *program_folder(void)
{
    const char *base = getenv("MOX_BENCH_DIR");
    char here[2048], made[sizeof program.folder];
    if (program.folder[0] != '\0')
        return program.folder;
    if (base == NULL && (base = getcwd(here, sizeof here)) == NULL)
        die("the current folder");
    (void)snprintf(made, sizeof made, "%s/bench.XXXXXX", base);
    if (mkdtemp(made) == NULL)
        die(made);
    (void)pthread_mutex_lock(&program.lock);
    memcpy(program.folder, made, sizeof made);
    (void)pthread_mutex_unlock(&program.lock);
    return program.folder;
}

pid_t program_fork(void)
{
    size_t at = 0;
    (void)pthread_mutex_lock(&program.lock);
    while (at < MAX_CHILDREN && program.children[at] > 0)
        at++;
    pid_t pid = at == MAX_CHILDREN ? -1 : fork();
    if (pid > 0)
        program.children[at] = pid;
    (void)pthread_mutex_unlock(&program.lock);
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the program itself is killed */
        (void)signal(SIGPIPE, SIG_DFL);
        (void)pthread_sigmask(SIG_UNBLOCK, &program.signals, NULL);
    }
    return pid;
}

void program_child_gone(pid_t pid)
{
    (void)pthread_mutex_lock(&program.lock);
    for (size_t i = 0; i < MAX_CHILDREN; i++) {
        if (program.children[i] == pid)
            program.children[i] = 0;
    }
    (void)pthread_mutex_unlock(&program.lock);
}

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fflush(stdout);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void die(const char *what)
{
    (void)fflush(stdout);
    perror(what);
    exit(1);
}

long program_number(const char *name, long otherwise)
{
    char full[128];
    (void)snprintf(full, sizeof full, "MOX_BENCH_%s", name);
    const char *text = getenv(full);
    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

double seconds_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void *must_malloc(size_t bytes)
{
    void *p = malloc(bytes > 0 ? bytes : 1);
    if (p == NULL)
        die("malloc");
    return p;
}

void *program_counter(const char *path)
{
    uint64_t zero = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, &zero, sizeof zero) != (ssize_t)sizeof zero)
        die(path);
    void *map = mmap(NULL, sizeof zero, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die("mmap");
    (void)close(fd);
    return map;
}

double program_peak_mb(void)
{
    char line[256];
    double kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        (void)sscanf(line, "VmHWM: %lf", &kb);
    if (status != NULL)
        (void)fclose(status);
    return kb / 1024;
}
