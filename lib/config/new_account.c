/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

static const struct mox_config_junk_filter new_filter = {
    .threshold = 0.95,
    .params = {.size = sizeof(struct mox_junk_params),
               .onegrams = true,
               .max_power = 0.01,
               .top_words = 10,
               .ignore_words = 0.1,
               .rare_words = 2}};

void mox_config_account_new_defaults(struct mox_config_account *account)
{
    mox__field_presets(&mox__config_account_type, account);
    account->name = "";
    account->subject_pass.period_us = INT64_C(12) * 3600 * 1000000;
    account->rejects_mailbox = "Rejects";
#ifdef MOX_HAVE_REGEX /* or else the expressions would be refused */
    account->automatic_junk_flags = (struct mox_junk_flags_config){
        .enabled = true,
        .junk_regexp = "^(junk|spam)",
        .neutral_regexp = "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects|introbox)",
        .notjunk_regexp = ""};
#endif
    account->junk_filter = &new_filter;
}
