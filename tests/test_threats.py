"""The threats against the login and the endpoint, each with the tests that fail when its defence is taken out.

T8 as far as the pages are ours: a token's dialog in the preferences is a page of Odoo's client, with Odoo's headers.
T22 asks for an answer of our own in place of Odoo's 404, which is what is tested. DPoP, introspection and workload
identity are not offered, so that what concerns them has no row. T14: the cooldown of Odoo's own login is Odoo's, per
worker. T20's 1 GB body and gzip bomb are bodies beyond the limit and encodings other than identity.
"""

import ast
from pathlib import Path

from odoo.tests import BaseCase, tagged

TESTS = Path(__file__).parent
# Threat: names of test methods, each with its file.
DEFENCES = {
    "T1 open redirect": {
        "test_service_oauth_redirect_uri": ["test_no_open_redirect", "test_what_may_not_be_registered"],
        "test_oauth_authorize": ["test_nothing_is_sent_to_an_address_that_is_not_the_clients"],
    },
    "T2 open redirect through login": {
        "test_oauth_authorize": [
            "test_login_comes_back_to_the_stored_request_alone",
            "test_an_address_as_request_id_leads_nowhere",
        ],
    },
    "T3 code injection": {
        "test_mcp_oauth_code": [
            "test_a_code_is_good_for_its_client_redirect_and_resource_alone",
            "test_a_wrong_verifier_burns_the_code",
        ],
    },
    "T4 code replay": {
        "test_mcp_oauth_code": [
            "test_a_second_use_revokes_what_the_first_gave",
            "test_sending_twice_at_once_costs_nothing",
        ],
        "e2e/test_refresh_load": ["test_a_code_many_times_at_once"],
    },
    "T5 PKCE downgrade": {
        "test_service_oauth_authorization": ["test_check_names_the_first_fault"],
        "test_service_oauth_pkce": ["test_what_is_no_s256_challenge", "test_wrong_verifiers"],
        "test_oauth_discovery": ["test_server_metadata_is_the_same_at_the_root_and_below"],
    },
    "T6 mix-up": {
        "test_oauth_authorize": ["test_other_faults_are_told_to_the_client", "test_errors_reach_every_kind_of_address"],
        "test_oauth_consent": ["test_deny", "test_allow_hands_over_a_code_for_what_was_chosen"],
    },
    "T7 login and consent CSRF": {
        "test_oauth_consent": [
            "test_form_without_token_of_this_session",
            "test_form_of_another_user_or_request",
            "test_the_same_form_sent_often_brings_one_code",
            "test_a_page_opened_twice_is_answered_by_the_first_form",
            "test_opening_a_page_approves_nothing",
        ],
    },
    "T8 clickjacking": {
        "test_oauth_authorize": ["test_nothing_is_sent_to_an_address_that_is_not_the_clients"],
        "test_oauth_consent": [
            "test_page_runs_and_loads_nothing",
            "test_a_crash_shows_a_page_and_nothing_of_the_cause",
        ],
        "test_portal_tokens": ["test_user_makes_uses_and_revokes_a_token"],
        "test_oauth_browser": [
            "test_allow_reaches_a_web_site",
            "test_allow_reaches_a_program_on_this_computer",
            "test_allow_opens_an_application",
        ],
    },
    "T9 confused deputy": {"test_oauth_consent": ["test_consent_of_another_client_counts_for_nothing"]},
    "T10 token passthrough": {
        "test_oauth_token": ["test_what_tools_get_of_a_request_has_no_secret"],
        "test_identity_login": ["test_tokens_for_somebody_else_are_refused"],
    },
    "T11 audience confusion": {
        "test_identity_login": ["test_tokens_for_somebody_else_are_refused"],
        "test_oauth_token": ["test_other_secrets_open_nothing_here"],
        "test_token_lookup": ["test_only_access_and_personal_tokens_open_the_endpoint"],
        "test_mcp_oauth_server": ["test_the_resource_of_another_database_is_foreign"],
    },
    "T12 Odoo API key crossover": {
        "test_oauth_token": ["test_mcp_tokens_open_nothing_else_of_odoo"],
        "test_mcp_api_key": [
            "test_a_token_of_ours_opens_nothing_else_in_odoo",
            "test_a_key_of_the_preferences_is_refused_here",
        ],
    },
    "T13 session cookie as credential": {
        "test_ir_http": ["test_a_session_cookie_is_no_credential"],
        "test_mcp_dispatcher": ["test_a_browser_session_is_no_authorization"],
        "test_oauth_authorize": ["test_no_session_is_made"],
    },
    "T14 brute force": {
        "test_service_secret_tokens": ["test_new_token_matches_the_documented_pattern_and_is_unique"],
        "test_oauth_client_auth": ["test_guessing_is_slowed_down_and_the_right_secret_is_not"],
        "test_mcp_auth_failure": ["test_right_token_works_while_its_address_has_to_wait"],
    },
    "T15 timing": {
        "test_oauth_client_auth": ["test_unknown_client_and_wrong_secret_get_the_same_answer"],
        "test_token_lookup": ["test_the_query_uses_the_indexes"],
    },
    "T16 registration spam": {
        "test_oauth_registration": [
            "test_what_is_refused",
            "test_registrations_of_one_sender_are_limited",
            "test_all_registrations_together_are_limited",
            "test_ten_thousand_registrations_stay_bounded",
            "test_purge_takes_only_what_never_was_used",
            "test_known_mode",
        ],
        "e2e/test_registration_load": ["test_flood_of_registrations"],
    },
    "T17 localhost impersonation": {
        "test_oauth_consent": [
            "test_destinations_and_names_are_marked_for_what_they_are",
            "test_a_program_on_the_computer_is_no_more_trusted_for_a_document",
        ],
    },
    "T18 XSS by metadata": {
        "test_service_oauth_registration": [
            "test_names_are_made_safe_to_show",
            "test_links_are_https_or_dropped",
            "test_what_is_refused",
        ],
        "test_oauth_consent": ["test_hostile_name_is_text"],
    },
    "T19 logo tracking": {
        "test_oauth_documents": ["test_the_logo_is_never_fetched"],
        "test_oauth_browser": ["test_nothing_is_loaded_and_nothing_sticks_out_on_a_phone"],
    },
    "T20 SSRF": {
        "test_service_safe_fetch": [
            "test_urls_that_are_no_public_https_names_are_refused_without_resolving",
            "test_names_with_an_address_that_is_not_public_are_refused_without_connecting",
            "test_name_is_resolved_once_and_the_checked_address_is_connected_to",
            "test_redirects_and_other_statuses_are_refused_and_not_followed",
            "test_answers_that_are_not_plain_json_objects_are_refused",
            "test_large_bodies_are_not_read",
            "test_deadline_is_for_everything",
        ],
        "test_service_public_address": ["test_addresses_that_are_not_routable_and_their_wrappers_are_refused"],
        "test_oauth_consent": ["test_nothing_is_fetched_for_strangers"],
    },
    "T21 multi-database confusion": {
        "test_token_lookup": ["test_a_token_of_another_database_is_unknown"],
        "test_mcp_token": ["test_token_of_another_database_is_not_found"],
        "test_neutralize": ["test_a_neutralized_copy_accepts_nothing_of_the_original"],
        "e2e/test_databases": ["test_a_token_of_one_database_is_worthless_on_another"],
    },
    "T22 no database": {"e2e/test_databases": ["test_without_a_name_it_says_how_to_give_one"]},
    "T23 session fixation": {
        "test_oauth_consent": [
            "test_form_of_another_user_or_request",
            "test_answered_request_is_not_answered_again_by_somebody_else",
        ],
    },
    "T24 state hijack": {
        "test_oauth_token": ["test_a_session_is_for_the_grant_that_opened_it"],
        "test_mcp_dispatcher_revisions": ["test_session_of_nobody_else_is_404"],
        "test_mcp_server": ["test_cursor_of_another_caller_or_another_list_is_refused"],
    },
    "T25 X-Forwarded-For spoofing": {
        "test_mcp_auth_failure": [
            "test_a_forwarded_address_is_not_believed_without_a_proxy",
            "test_a_client_is_counted_from_all_addresses_together",
        ],
    },
    "T26 host poisoning": {"test_oauth_discovery": ["test_the_host_of_a_request_changes_nothing"]},
    "T27 refresh theft": {
        "test_mcp_oauth_refresh": [
            "test_reuse_after_the_grace_ends_the_grant",
            "test_grace_at_its_edge",
            "test_two_generations_back_within_the_grace_is_refused_and_harmless",
            "test_older_generations_after_their_grace_end_the_grant",
        ],
        "e2e/test_refresh_load": ["test_the_same_token_two_hundred_times"],
    },
    "T28 scope escalation": {
        "test_mcp_oauth_refresh": ["test_scope_is_narrowed_for_one_access_token_and_never_widened"],
        "test_oauth_consent": ["test_nobody_grants_more"],
        "test_oauth_token": ["test_administration_is_for_who_administers_now"],
        "test_oauth_documents": ["test_changed_metadata_is_another_consent"],
    },
    "T29 stale privilege": {
        "test_oauth_token": ["test_what_changes_meanwhile_counts_for_the_next_call"],
        "test_token_lookup": ["test_what_ends_a_grant_ends_its_access_tokens_at_once"],
        "test_ir_http": ["test_user_who_lost_the_group_is_refused"],
    },
    "T30 superuser": {
        "test_token_lookup": ["test_archived_users_and_the_superuser_are_refused"],
        "test_mcp_token": ["test_nobody_mints_for_the_superuser_portal_public_or_without_the_group"],
        "test_ir_http": ["test_a_token_of_the_superuser_or_a_portal_user_is_refused"],
    },
    "T31 token leakage": {
        "test_ir_http": ["test_a_token_in_the_url_is_a_bad_request"],
        "test_oauth_token": ["test_no_secret_is_logged"],
        "test_mcp_token_wizard": ["test_secret_reaches_no_table"],
    },
    "T32 JWT attacks": {
        "test_service_jwt_check": [
            "test_no_algorithm_and_shared_secrets_are_refused",
            "test_headers_cannot_bring_keys_or_extensions",
            "test_hostile_key_ids_are_only_compared",
            "test_type_issuer_and_audience_are_exact",
            "test_times_are_demanded_and_bounded",
        ],
        "test_identity_login": [
            "test_forged_tokens_are_refused_without_asking_anybody",
            "test_oversized_token_is_refused",
        ],
    },
    "T33 JWKS flood": {
        "test_mcp_key_set": ["test_flood_of_unknown_key_ids_fetches_once_in_thirty_seconds"],
        "e2e/test_identity": ["test_flood_of_unknown_key_ids_leaves_provider_and_users_alone"],
    },
    "T34 assertion replay": {
        "test_mcp_oauth_assertion": ["test_each_counts_once_for_each_issuer", "test_another_worker_sees_it"],
        "e2e/test_identity": ["test_one_of_many_parallel_uses_of_an_assertion_succeeds"],
    },
    "T35 take-over by e-mail": {"test_identity_login": ["test_email_links_only_when_an_administrator_says_so"]},
    "T36 DNS rebinding": {
        "test_mcp_dispatcher": [
            "test_origin_is_checked_and_answered_on_success_and_failure",
            "test_foreign_host_is_refused_on_loopback_only",
        ],
    },
    "T37 parameter pollution": {
        "test_service_oauth_parameters": ["test_a_parameter_given_twice_is_refused"],
        "test_oauth_authorize": ["test_duplicate_parameters_are_refused"],
    },
    "T38 header injection": {
        "test_oauth_authorize": ["test_state_cannot_alter_headers"],
        "test_oauth_registration": ["test_hostile_text_cannot_alter_headers"],
    },
    "T39 method confusion": {
        "test_oauth_token": ["test_methods_that_are_refused"],
        "test_oauth_registration": ["test_other_methods"],
        "test_oauth_authorize": ["test_a_form_is_stored_and_approves_nothing"],
    },
    "T40 denial by error": {
        "test_oauth_token": ["test_trouble_with_the_database_is_no_fault_of_the_client"],
        "test_oauth_registration": ["test_trouble_with_the_database_is_not_the_clients_fault"],
        "e2e/test_databases": ["test_a_database_that_does_not_answer_is_not_the_clients_fault"],
    },
    "T41 database dump": {
        "test_mcp_oauth_access": ["test_nothing_stored_is_the_token"],
        "test_mcp_oauth_code": ["test_nothing_stored_is_the_code"],
        "test_mcp_oauth_refresh": ["test_nothing_stored_is_enough_for_a_successor"],
        "test_neutralize": ["test_a_neutralized_copy_accepts_nothing_of_the_original"],
    },
    "T42 phishing names": {
        "test_service_oauth_vendors": [
            "test_owner_is_told_from_the_address_alone",
            "test_a_name_at_a_foreign_address_is_noticed",
        ],
        "test_oauth_consent": ["test_destinations_and_names_are_marked_for_what_they_are"],
    },
}


@tagged("post_install", "-at_install")
class TestThreats(BaseCase):
    def test_every_threat_has_its_tests(self):
        self.assertEqual([name.partition(" ")[0] for name in DEFENCES], [f"T{number}" for number in range(1, 43)])
        for threat, files in DEFENCES.items():
            self.assertTrue(any(files.values()), threat)
            for file, names in files.items():
                with self.subTest(threat=threat, file=file):
                    self.assertLessEqual(set(names), self.names_in(file))

    def names_in(self, file) -> set[str]:
        tree = ast.parse((TESTS / f"{file}.py").read_text())
        return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
