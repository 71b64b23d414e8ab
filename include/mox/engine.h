/* SPDX-License-Identifier: MIT */
#ifndef MOX_ENGINE_H
#define MOX_ENGINE_H

#include <mox/error.h>
#include <mox/types.h>

MOX_BEGIN_DECLS

/** What an engine wants of its host: a set of these. WRITE comes first: a host sends what is there
 *  before it does anything else, so that the last words of a failing session get out. */
enum mox_wants {
    MOX_WANTS_READ = 1 << 0,     /* bytes of the peer: call _input */
    MOX_WANTS_WRITE = 1 << 1,    /* there is output: send it, call _sent */
    MOX_WANTS_STARTTLS = 1 << 2, /* when the output is sent: start TLS, then call _tls_started */
    MOX_WANTS_APP = 1 << 3,      /* an answer of the host is pending */
    MOX_WANTS_RUN = 1 << 4,      /* call _run, on a thread that may wait for the disk */
    MOX_WANTS_CLOSE = 1 << 5     /* when the output is sent: close */
};

/** What the host knows about a finished TLS handshake. Copied by the engine. */
struct mox_tls_info {
    size_t size;
    char version[16];   /* "TLS1.3" */
    char cipher[64];    /* "TLS_AES_128_GCM_SHA256" */
    char sni[256];      /* the server name that the client asked for, or empty */

    /* What SASL binds to (RFC 5056). */
    bool has_exporter;
    /** tls-exporter (RFC 9266), as most compute it: without context. With TLS 1.2 the empty context,
     *  which §2 names, gives another value (RFC 5705 §4); it is bound to the same channel. All zeros:
     *  not known. */
    uint8_t exporter[32];
    uint8_t exporter_empty[32];
    size_t end_point_len;  /* 0: not known */
    uint8_t end_point[64]; /* tls-server-end-point (RFC 5929 §4): a hash of our certificate */
    bool has_client_key;
    uint8_t client_key[32]; /* SHA-256 of the SubjectPublicKeyInfo of the client's certificate, whose
                               private key it has */
    size_t unique_len;      /* 0: not known */
    uint8_t unique[36];     /* tls-unique (RFC 5929 §3), which TLS 1.3 does not have */
};

/** Where a connection comes from and goes to. Copied by the engine. */
struct mox_peer {
    size_t size;
    char remote_ip[64]; /* text form without brackets: "192.0.2.1", "2001:db8::1" */
    char local_ip[64];
    uint16_t remote_port, local_port;
    uint64_t cid;       /* the connection's number, for the log */
    bool tls;           /* TLS was there from the start (implicit TLS); then tls_info is set */
    struct mox_tls_info tls_info;
};

/**
 * Any of the protocol engines, seen by its host: the calls are those of mox_smtp_server_input() and
 * its like, with the same rules. A host that serves several protocols writes its loop once.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_engine_ops {
    /** The bytes that the peer sent, 1..MOX_INPUT_MAX; all are taken. Only while READ is wanted. */
    int (*input)(void *self, const uint8_t *data, size_t len);
    /** Output that waits, borrowed until the next call. 0 when there is none. */
    size_t (*output)(void *self, const uint8_t **data);
    /** So many bytes of it were sent. */
    void (*sent)(void *self, size_t len);
    /** A set of enum mox_wants. */
    unsigned (*wants)(void *self);
    /** When _tick is due, on the monotonic clock in microseconds; INT64_MAX for never. */
    int64_t (*deadline)(void *self);
    /** The deadline has come. */
    int (*tick)(void *self);
    /** The peer has closed its side. */
    void (*eof)(void *self);
    /** Bytes that arrived behind the STARTTLS line: they belong to the handshake. Borrowed until
     *  tls_started. */
    size_t (*tls_rest)(void *self, const uint8_t **data);
    void (*tls_started)(void *self, const struct mox_tls_info *info);
    /** Only while RUN is wanted; the engine belongs to the caller's thread until it returns. */
    int (*run)(void *self);
    /** What was pending may be answered now: the host calls it on the owner's thread after the
     *  engine's `wake` callback was called on any thread. */
    int (*woken)(void *self);
    /** Say goodbye and want CLOSE: the server is shutting down. */
    void (*shutdown)(void *self);
    /** Bytes per second that the peer deserves, 0 for full speed. */
    unsigned (*pace)(void *self);
    /** Frees the engine. Not while another thread is in run(). */
    void (*free)(void *self);
};

struct mox_engine {
    const struct mox_engine_ops *ops; /* no member is NULL */
    void *self;
};

MOX_END_DECLS

#endif
