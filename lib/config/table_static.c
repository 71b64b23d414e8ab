/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

/* mox.conf. */

#define AT(member) offsetof(struct mox_config_smtp, member)
static const struct field smtp_fields[] = {
    {.name = "Enabled", .type = &mox__type_bool, .offset = AT(enabled), .required = true,
     .doc = "Whether the service is offered."},
    {.name = "Port", .type = &mox__type_port, .offset = AT(port), .preset = "25",
     .zero_is_preset = true, .doc = "Default 25."},
    {.name = "NoSTARTTLS", .type = &mox__type_bool, .offset = AT(no_starttls),
     .doc = "Do not offer STARTTLS. Mail is then received in the clear: only for tests."},
    {.name = "RequireSTARTTLS", .type = &mox__type_bool, .offset = AT(require_starttls),
     .doc = "Refuse mail from senders that do not use STARTTLS. Some legitimate mail servers on the "
            "internet do not, so their mail is lost."},
    {.name = "FirstTimeSenderDelay", .type = &mox__type_duration,
     .offset = AT(first_time_sender_delay_us), .preset = "15s", .check = mox__check_delay,
     .doc = "How long a message waits before it is delivered whose sender is not known yet, and about "
            "which nothing else speaks either. Most who send junk do not wait. Default 15s. 0s for no "
            "delay."},
    {.name = "DNSBLs", .type = &mox__type_strings, .offset = AT(dnsbls), .check = mox__check_zones,
     .doc = "Zones of lists of addresses that send junk. They are asked, in their order, about a client "
            "whose message nothing else decides about; when one lists it, the message is refused. For "
            "example: bl.example.org. Read the list's terms of use."},
};
#undef AT
static const struct value_type smtp_type = STRUCT_TYPE(struct mox_config_smtp, smtp_fields, NULL);

#define AT(member) offsetof(struct mox_config_service, member)
#define ENABLED                                                                                    \
    {.name = "Enabled", .type = &mox__type_bool, .offset = AT(enabled), .required = true,          \
     .doc = "Whether the service is offered."}
#define PORT(number)                                                                               \
    {.name = "Port", .type = &mox__type_port, .offset = AT(port), .preset = number,                \
     .zero_is_preset = true, .doc = "Default " number "."}
#define NO_REQUIRE_STARTTLS                                                                        \
    {.name = "NoRequireSTARTTLS", .type = &mox__type_bool, .offset = AT(no_require_starttls),      \
     .doc = "Let users log in without TLS, so that their passwords can be read on the way. Only "  \
            "for tests, or behind a proxy that speaks TLS."}

static const struct field submission_fields[] = {ENABLED, PORT("587"), NO_REQUIRE_STARTTLS};
static const struct field submissions_fields[] = {ENABLED, PORT("465")};
static const struct field imap_fields[] = {ENABLED, PORT("143"), NO_REQUIRE_STARTTLS};
static const struct field imaps_fields[] = {ENABLED, PORT("993")};
#undef AT
static const struct value_type submission_type =
    STRUCT_TYPE(struct mox_config_service, submission_fields, NULL);
static const struct value_type submissions_type =
    STRUCT_TYPE(struct mox_config_service, submissions_fields, NULL);
static const struct value_type imap_type =
    STRUCT_TYPE(struct mox_config_service, imap_fields, NULL);
static const struct value_type imaps_type =
    STRUCT_TYPE(struct mox_config_service, imaps_fields, NULL);

#define AT(member) offsetof(struct mox_config_keycert, member)
static const struct field keycert_fields[] = {
    {.name = "CertFile", .type = &mox__type_string, .offset = AT(cert_file), .required = true,
     .doc = "PEM file with the certificate, followed by its intermediate certificates. Relative to "
            "the folder of this file."},
    {.name = "KeyFile", .type = &mox__type_string, .offset = AT(key_file), .required = true,
     .doc = "PEM file with the private key of the certificate. Relative to the folder of this "
            "file."},
};
#undef AT
static const struct value_type keycert_type =
    STRUCT_TYPE(struct mox_config_keycert, keycert_fields, NULL);
static const struct value_type keycerts_type = LIST_OF(keycert_type, struct mox_config_keycert);

#define AT(member) offsetof(struct mox_config_tls, member)
static const struct field tls_fields[] = {
    {.name = "KeyCerts", .type = &keycerts_type, .offset = AT(key_certs),
     .doc = "Certificates with their keys. A client gets the one that fits the name that it asks "
            "for, else the first."},
    {.name = "ClientAuthDisabled", .type = &mox__type_bool, .offset = AT(client_auth_disabled),
     .doc = "Do not ask the programs of users for a certificate. By default submission and IMAP ask, "
            "and who has a key that was added by mox config tlspubkey add is logged in by it; who has "
            "none logs in otherwise, and one that is not known ends the connection. Some programs "
            "show people a dialog when they are asked."},
};
#undef AT
static const struct value_type tls_type =
    STRUCT_TYPE(struct mox_config_tls, tls_fields, mox__check_tls);
static const struct value_type optional_tls_type = OPTIONAL_OF(tls_type);

#define AT(member) offsetof(struct mox_config_listener, member)
static const struct field listener_fields[] = {
    {.name = "IPs", .type = &mox__type_strings, .offset = AT(ips), .required = true,
     .check = mox__check_ips,
     .doc = "Addresses to listen on. 0.0.0.0 and :: stand for all of the machine's IPv4 and IPv6 "
            "addresses."},
    {.name = "Hostname", .type = &mox__type_string, .offset = AT(hostname),
     .check = mox__check_hostname,
     .doc = "Name in greetings and for certificates. Default is the Hostname of the server."},
    {.name = "TLS", .type = &optional_tls_type, .offset = AT(tls),
     .doc = "Needed by every service that encrypts: those with an S at the end of their name, and "
            "those that offer STARTTLS."},
    {.name = "SMTPMaxMessageSize", .type = &mox__type_int64, .offset = AT(smtp_max_message_size),
     .preset = "104857600", .zero_is_preset = true, .check = mox__check_message_size,
     .doc = "Largest message in bytes, for incoming mail and submission. Default 104857600 (100 "
            "MiB)."},
    {.name = "SMTP", .type = &smtp_type, .offset = AT(smtp),
     .doc = "Incoming mail from other mail servers."},
    {.name = "Submission", .type = &submission_type, .offset = AT(submission),
     .doc = "Mail from users' programs, after STARTTLS. Submissions is better."},
    {.name = "Submissions", .type = &submissions_type, .offset = AT(submissions),
     .doc = "Mail from users' programs, with TLS from the start."},
    {.name = "IMAP", .type = &imap_type, .offset = AT(imap),
     .doc = "Users read their mail, after STARTTLS. IMAPS is better."},
    {.name = "IMAPS", .type = &imaps_type, .offset = AT(imaps),
     .doc = "Users read their mail, with TLS from the start."},
    {.name = "NATIPs", .type = &mox__type_strings, .offset = AT(nat_ips),
     .check = mox__check_nat_ips,
     .doc = "Public addresses that the internet sees instead of IPs, when another machine translates "
            "addresses. Of the listener \"public\", they are looked up in lists of blocked addresses."},
};
#undef AT
const struct value_type mox__config_listener_type =
    STRUCT_TYPE(struct mox_config_listener, listener_fields, mox__check_listener);
static const struct value_type listeners_type =
    MAP_OF(mox__config_listener_type, struct mox_config_listener, 0);

#define AT(member) offsetof(struct mox_config_static, member)
static const struct field postmaster_fields[] = {
    {.name = "Account", .type = &mox__type_string,
     .offset = AT(postmaster.account) - AT(postmaster), .required = true,
     .doc = "An account of domains.conf."},
    {.name = "Mailbox", .type = &mox__type_string,
     .offset = AT(postmaster.mailbox) - AT(postmaster), .required = true,
     .check = mox__check_mailbox, .doc = "For example: Postmaster or Inbox."},
};
static const struct value_type postmaster_type =
    STRUCT_TYPE(((struct mox_config_static *)0)->postmaster, postmaster_fields, NULL);

static const struct value_type levels_type = MAP_OF(
    mox__type_level, struct mox_config_level, offsetof(struct mox_config_level, level));

#define AT_USE(member) offsetof(struct mox_config_special_use, member)
#define ROLE(field_name, member, what)                                                             \
    {.name = field_name, .type = &mox__type_string, .offset = AT_USE(member),                      \
     .check = mox__check_mailbox, .doc = what}
static const struct field special_use_fields[] = {
    ROLE("Sent", sent, "For sent mail. For example: Sent."),
    ROLE("Archive", archive, "For mail that is kept. For example: Archive."),
    ROLE("Trash", trash, "For deleted mail. For example: Trash."),
    ROLE("Draft", drafts, "For unfinished mail. For example: Drafts."),
    ROLE("Junk", junk, "For unwanted mail. For example: Junk."),
};
static const struct value_type special_use_type =
    STRUCT_TYPE(struct mox_config_special_use, special_use_fields, NULL);

#define AT_INITIAL(member) offsetof(struct mox_config_initial_mailboxes, member)
static const struct field initial_mailboxes_fields[] = {
    {.name = "SpecialUse", .type = &special_use_type, .offset = AT_INITIAL(special_use),
     .doc = "Mailboxes with a role that mail programs know."},
    {.name = "Regular", .type = &mox__type_strings, .offset = AT_INITIAL(regular),
     .check = mox__check_mailbox_names, .doc = "Further mailboxes."},
};
static const struct value_type initial_mailboxes_type =
    STRUCT_TYPE(struct mox_config_initial_mailboxes, initial_mailboxes_fields,
                mox__check_initial_mailboxes);
static const struct value_type optional_initial_mailboxes_type =
    OPTIONAL_OF(initial_mailboxes_type);

#define AT_RESOLVER(member) offsetof(struct mox_config_resolver, member)
static const struct field resolver_fields[] = {
    {.name = "Forward", .type = &mox__type_string, .offset = AT_RESOLVER(forward),
     .check = mox__check_forward,
     .doc = "Address of a resolver that is asked for everything, with a port if it is not 53. For "
            "example: 127.0.0.1, 192.0.2.53:5353 or [2001:db8::53]:5353. Default are the servers of "
            "/etc/resolv.conf; when it names none, the servers of the names themselves."},
    {.name = "TrustAnchor", .type = &mox__type_string, .offset = AT_RESOLVER(trust_anchor),
     .doc = "File with DS or DNSKEY records that validation by DNSSEC begins with. Relative to the "
            "folder of this file. Default is the root's, /usr/share/dns/root.key of the package "
            "dns-root-data; when that is not there, answers are not validated."},
};
static const struct value_type resolver_type =
    STRUCT_TYPE(struct mox_config_resolver, resolver_fields, NULL);

static const struct field static_fields[] = {
    {.name = "DataDir", .type = &mox__type_string, .offset = AT(data_dir), .required = true,
     .doc = "This is mox.conf, the part of the configuration that is read when the server starts: "
            "restart it after a change. Domains, accounts and addresses are in domains.conf, in "
            "the same folder.\n"
            "\n"
            "A line is \"Key: value\". What belongs to a key stands below it, one tab deeper; spaces "
            "do not indent. Items of a list start with \"- \". A line that starts with # is a "
            "comment. Nothing is quoted. Check the files with \"mox config test\".\n\n\n"
            "Folder of the accounts with their mail. Relative to the folder of this file."},
    {.name = "LogLevel", .type = &mox__type_level, .offset = AT(log_level), .required = true,
     .doc = "What is logged: error, warn, info, debug, trace (protocol lines), traceauth (passwords "
            "too) or tracedata (messages too)."},
    {.name = "PackageLogLevels", .type = &levels_type, .offset = AT(package_log_levels),
     .check = mox__check_package,
     .doc = "Levels of single packages, instead of LogLevel. For example: smtpserver, imapserver, "
            "store, ctl."},
    {.name = "Hostname", .type = &mox__type_string, .offset = AT(hostname), .required = true,
     .check = mox__check_hostname,
     .doc = "Full name of this machine on the internet. For example: mail.example.org."},
    {.name = "Listeners", .type = &listeners_type, .offset = AT(listeners), .required = true,
     .doc = "Groups of addresses, each with its services. The names are free. For example: public "
            "for those that the internet reaches, internal for the others."},
    {.name = "Postmaster", .type = &postmaster_type, .offset = AT(postmaster), .required = true,
     .doc = "Who gets mail for postmaster without a domain, at our host names, and at domains that "
            "have no such address."},
    {.name = "DefaultMailboxes", .type = &mox__type_strings, .offset = AT(default_mailboxes),
     .check = mox__check_mailbox_names,
     .doc = "Mailboxes of a new account, besides Inbox. Those called Sent, Archive, Trash, Drafts "
            "and Junk, which are the default, get their role. Use InitialMailboxes for other "
            "names."},
    {.name = "InitialMailboxes", .type = &optional_initial_mailboxes_type,
     .offset = AT(initial_mailboxes),
     .doc = "Mailboxes of a new account, besides Inbox, instead of DefaultMailboxes."},
    {.name = "Delays", .type = &mox__config_delays_type, .offset = AT(delays),
     .doc = "How clients are slowed down who guess passwords or addresses, or send what nobody "
            "wants."},
    {.name = "Resolver", .type = &resolver_type, .offset = AT(resolver),
     .doc = "Who is asked for names of the DNS, to find out who sent a message. A server of mox "
            "localserve asks nobody unless Forward is set: it has names of its own."},
    {.name = "QuotaMessageSize", .type = &mox__type_int64, .offset = AT(quota_message_size),
     .check = mox__check_quota,
     .doc = "Largest size of all messages of an account together, in bytes; what does not fit is refused. "
            "An account may have its own. Default 0: no limit."},
    {.name = "Pedantic", .type = &mox__type_bool, .offset = AT(pedantic),
     .doc = "Refuse violations of protocols that are usually tolerated. For those who test their "
            "software."},
    {.name = "Limits", .type = &mox__config_limits_type, .offset = AT(limits),
     .doc = "What one address on the internet, and the networks around it, may do before it is "
            "turned away for a while, so that password guessers and floods do not keep others out. "
            "A limit has three numbers: for an address, for its network of 64 addresses, and for "
            "its network of 2048 (of IPv6 for a /64, a /48 and a /32). -1 means no limit, 0 the "
            "default."},
};
const struct value_type mox__config_static_type =
    STRUCT_TYPE(struct mox_config_static, static_fields, mox__check_static);
