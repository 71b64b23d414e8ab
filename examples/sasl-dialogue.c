/* SPDX-License-Identifier: MIT */
/* A log-in with SASL, client and server in one program and no protocol between them. Prints what they say.
 * Try it:  sasl-dialogue SCRAM-SHA-256 pencil pencil  (mechanism, the user's password, the client's) */
#include <stdio.h>
#include <string.h>

#include <mox/sasl.h>

#define USER "you@example.org"

/* The server's users: one, of whom it has the password's record. A host that takes PLAIN or LOGIN
 * checks the password itself, as mox_account_check_password() does. */
struct users {
    const struct mox_env *env;
    const char *password;
};

static int find_answer(const struct users *users, const struct mox_sasl_question *q,
                       struct mox_sasl_answer *answer)
{
    if (strcmp(q->username, USER) != 0)
        return MOX_EDENIED;
    if (q->ask == MOX_SASL_ASK_PASSWORD)
        return strcmp(q->password, users->password) == 0 ? MOX_OK : MOX_EDENIED;
    if (q->ask == MOX_SASL_ASK_RECORD) /* made when a password is set, and kept instead of it */
        return mox_sasl_record(answer->record, users->env, q->record, users->password, NULL);
    return q->ask == MOX_SASL_ASK_ADMIT ? MOX_OK : MOX_EDENIED;
}

static void say(const char *who, struct mox_slice what)
{
    printf("%s: ", who);
    for (size_t i = 0; i < what.len; i++)
        putchar(what.data[i] == '\0' ? '|' : what.data[i]); /* of PLAIN */
    putchar('\n');
}

/* One turn of the server: until it wants to hear more, or is done. */
static enum mox_sasl_step step(struct mox_sasl_server *s, const struct users *users,
                               struct mox_slice response)
{
    enum mox_sasl_step step = mox_sasl_server_step(s, response);
    while (step == MOX_SASL_ASK) {
        struct mox_sasl_answer answer;
        mox_sasl_answer_init(&answer);
        int status = find_answer(users, mox_sasl_server_question(s), &answer);
        step = mox_sasl_server_answer(s, status, &answer);
    }
    return step;
}

static int talk(struct mox_sasl_server *s, struct mox_sasl_client *c, const struct users *users)
{
    struct mox_slice response, challenge = {NULL, 0};
    for (;;) {
        if (mox_sasl_client_step(c, challenge, &response) < 0)
            return puts("the client gives up"), 1;
        if (response.data != NULL)
            say("C", response);
        enum mox_sasl_step reached = step(s, users, response);
        if (reached == MOX_SASL_FAILURE)
            printf("refused: %s\n", mox_sasl_failure_name(mox_sasl_server_failure(s)));
        if (reached == MOX_SASL_SUCCESS)
            printf("%s is logged in\n", mox_sasl_server_username(s));
        if (reached != MOX_SASL_CHALLENGE)
            return reached == MOX_SASL_FAILURE || mox_sasl_client_finish(c) < 0;
        challenge = mox_sasl_server_challenge(s);
        say("S", challenge);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: sasl-dialogue MECHANISM PASSWORD PASSWORD-OF-THE-CLIENT\n");
        return 2;
    }
    struct mox_env env;
    mox_env_system(&env);
    struct mox_slice name = {(const uint8_t *)argv[1], strlen(argv[1])};
    enum mox_sasl_mechanism m = mox_sasl_mechanism(name);
    struct users users = {&env, argv[2]};
    struct mox_sasl_server_config server;
    mox_sasl_server_config_init(&server);
    server.hostname = "mx.example.org"; /* and a secret: see the header */
    struct mox_sasl_client_config client;
    mox_sasl_client_config_init(&client);
    client.username = USER;
    client.password = argv[3];

    struct mox_sasl_server *s = NULL;
    struct mox_sasl_client *c = NULL;
    int failed = mox_sasl_server_new(&s, &env, m, &server) < 0 ||
                 mox_sasl_client_new(&c, &env, m, (unsigned)m, &client) < 0;
    failed =
        failed ? (fprintf(stderr, "%s cannot be used here\n", argv[1]), 1) : talk(s, c, &users);
    mox_sasl_client_free(c);
    mox_sasl_server_free(s);
    return failed;
}
