// Preloaded into streams-clickhouse: a fault exactly where ClickHouse renames a new part into place, after it has written the part and
// the deduplication token. $STREAMS_AT_RENAME names a file; while it exists, the first rename of a tmp_insert_ part whose path contains
// the file's text behind its first letter strikes, and the file is gone. The letter: k = SIGKILL; e = the part's files are emptied and
// all goes on, as when the disk filled while they were written and nobody looked at the error.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void empty(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        int fd = entry->d_type == DT_REG ? openat(dirfd(directory), entry->d_name, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
        if (fd >= 0)
            close(fd);
    }
    closedir(directory);
}

int rename(const char *from, const char *to)
{
    static int (*next)(const char *, const char *);
    if (!next)
        next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    const char *trigger = getenv("STREAMS_AT_RENAME");
    int fd = trigger && strstr(from, "tmp_insert_") ? open(trigger, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        char table[256];
        ssize_t length = read(fd, table, sizeof table - 1);
        close(fd);
        if (length > 1) {
            table[length] = 0;
            if (strstr(from, table + 1) && unlink(trigger) == 0) {
                if (table[0] == 'e')
                    empty(from);
                else {
                    kill(getpid(), SIGKILL);
                    for (;;)
                        pause();
                }
            }
        }
    }
    return next(from, to);
}
