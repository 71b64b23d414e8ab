/* SPDX-License-Identifier: MIT */
#include "support/yaml.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cm.h"
#include "support/corpora.h"

extern char **environ;

/* Starts the converter; what it writes comes through *out. */
static pid_t convert(const char *path, FILE **out)
{
    pid_t pid;
    int ends[2];
    char script[4096], file[4096], python[] = "python3";
    posix_spawn_file_actions_t actions;
    (void)snprintf(file, sizeof file, "%s", path); /* may be in the memory that is reused here */
    (void)snprintf(script, sizeof script, "%s", tests_path("support/yaml_to_json.py"));
    char *const argv[] = {python, script, file, NULL};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, ends[0]), 0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ), 0);
    assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
    assert_int_equal(close(ends[1]), 0);
    *out = fdopen(ends[0], "r");
    assert_non_null(*out);
    return pid;
}

json_t *yaml_load(const char *path)
{
    FILE *in;
    int status;
    json_error_t error;
    pid_t pid = convert(path, &in);
    json_t *documents = json_loadf(in, JSON_ALLOW_NUL, &error);
    (void)fclose(in);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (documents == NULL || status != 0)
        fail_msg("%s: %s; is python3-yaml installed?", path, error.text);
    return documents;
}

const char *yaml_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}
