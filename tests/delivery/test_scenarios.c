/* SPDX-License-Identifier: MIT */
#include "delivery/scenario.h"
#include "support/cm.h"

#define SCENARIO(function, file)                                                                   \
    static void function(void **state)                                                             \
    {                                                                                              \
        (void)state;                                                                               \
        scenario(file);                                                                            \
    }

SCENARIO(a_correspondent_becomes_known, "correspondent")
SCENARIO(a_newsletter_moved_to_junk_twice_is_rejected, "newsletter")
SCENARIO(a_network_of_spammers_is_known_for_a_quarter, "network")
#ifdef MOX_HAVE_REGEX /* of rulesets */
SCENARIO(a_forwarder_is_not_to_blame, "forwarder")
SCENARIO(what_is_forwarded_does_not_wait, "forwarded-at-once")
SCENARIO(a_rule_takes_rejects, "takes-rejects")
#endif
SCENARIO(without_a_rule_it_is, "no-rule")
SCENARIO(a_path_that_is_forged_says_nothing_of_its_owner, "forged-path")
SCENARIO(who_was_written_to_may_answer, "answer")
SCENARIO(a_bank_is_not_who_claims_to_be_it, "spoofed-bank")
SCENARIO(a_domain_is_what_its_senders_are, "domain")
SCENARIO(what_is_long_ago_is_forgotten, "ages")
SCENARIO(rejects_are_corrected_by_moving_them, "rejects")
SCENARIO(what_is_accepted_later_leaves_rejects, "tried-again")
SCENARIO(a_token_opens_the_door, "tokens")
SCENARIO(strangers_wait_and_nobody_else, "strangers")
SCENARIO(first_messages_wait_for_a_word, "introbox")
SCENARIO(a_filter_counts_when_it_knows_enough, "learning")
SCENARIO(months_of_an_account, "months")

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_correspondent_becomes_known),
        cmocka_unit_test(a_newsletter_moved_to_junk_twice_is_rejected),
        cmocka_unit_test(a_network_of_spammers_is_known_for_a_quarter),
#ifdef MOX_HAVE_REGEX
        cmocka_unit_test(a_forwarder_is_not_to_blame),
        cmocka_unit_test(what_is_forwarded_does_not_wait),
        cmocka_unit_test(a_rule_takes_rejects),
#endif
        cmocka_unit_test(without_a_rule_it_is),
        cmocka_unit_test(a_path_that_is_forged_says_nothing_of_its_owner),
        cmocka_unit_test(who_was_written_to_may_answer),
        cmocka_unit_test(a_bank_is_not_who_claims_to_be_it),
        cmocka_unit_test(a_domain_is_what_its_senders_are),
        cmocka_unit_test(what_is_long_ago_is_forgotten),
        cmocka_unit_test(rejects_are_corrected_by_moving_them),
        cmocka_unit_test(what_is_accepted_later_leaves_rejects),
        cmocka_unit_test(a_token_opens_the_door),
        cmocka_unit_test(strangers_wait_and_nobody_else),
        cmocka_unit_test(first_messages_wait_for_a_word),
        cmocka_unit_test(a_filter_counts_when_it_knows_enough),
        cmocka_unit_test(months_of_an_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
