"""Where the rest of the fault corpus is asserted: rule id to `file::test`; what ends in a softer class; what cannot happen here."""

from __future__ import annotations

SOURCES, DIALECTS, FORMS, IDENTITY = (
    "test_sources.py",
    "sources/test_dialects.py",
    "sources/test_forms.py",
    "sources/test_identity.py",
)
OTHER_BYTES = f"{SOURCES}::test_the_same_table_in_other_bytes_is_the_same_table"
NO_TABLE = f"{SOURCES}::test_a_file_that_is_no_table_is_refused_by_name"
LINES = f"{SOURCES}::test_the_line_of_a_row_is_right_after_line_breaks_blank_lines_and_broken_lines"
PREAMBLE = f"{DIALECTS}::test_a_report_with_preamble_totals_and_another_encoding_is_read_as_declared"
OTHERWISE = f"{SOURCES}::test_a_value_of_another_type_sets_its_row_aside_and_is_shown_with_its_place"
AMOUNT = f"{DIALECTS}::test_an_amount_written_as_declared_is_that_amount"
NO_AMOUNT = f"{DIALECTS}::test_an_amount_written_otherwise_is_set_aside_as_it_was_delivered"
NO_DAY = f"{DIALECTS}::test_a_day_written_otherwise_is_set_aside"
DAY = f"{DIALECTS}::test_a_day_is_the_one_that_its_declared_format_means"
ZONE = f"{DIALECTS}::test_a_time_without_an_offset_is_one_of_the_sources_zone"
BLANKS = f"{DIALECTS}::test_declared_blanks_are_missing_and_counted"
CHANGED = "test_changes.py::test_the_frozen_tables_are_byte_for_byte_the_same"
DRIFT = "sources/test_drift.py"
WEB, CONTENT, CUSTOMERS = "metrics/test_website.py", "metrics/test_content.py", "metrics/test_customers.py"
PRIVACY, CANARIES = (
    "test_privacy.py",
    "test_hostile.py::test_no_person_of_any_source_reaches_anything_that_is_published_or_said",
)
HOSTILE = "test_hostile.py::test_no_hostile_text_comes_alive_and_no_number_changes"
SMALL = "test_small_companies.py"

ELSEWHERE: dict[str, list[str]] = {
    # a. files and encodings
    "F001": [OTHER_BYTES], "F002": [OTHER_BYTES, f"{FORMS}::test_the_table_is_the_same_in_every_form"], "F003": [NO_TABLE],
    "F004": [NO_TABLE, f"{DIALECTS}::test_a_file_in_another_encoding_than_declared_is_refused_with_its_line"],
    "F006": [LINES], "F007": [NO_TABLE], "F008": [NO_TABLE, PREAMBLE], "F009": [LINES],
    "F010": [f"{SOURCES}::test_a_quote_that_stays_open_is_refused_at_the_line_where_it_opens"],
    "F011": [f"{SOURCES}::test_short_and_long_lines_are_set_aside_with_the_line_they_stand_on"], "F012": [NO_TABLE],
    "F013": ["sources/test_maps.py::test_columns_are_found_whatever_their_case_and_spacing",
             f"{SOURCES}::test_an_optional_column_under_another_case_is_refused_and_not_read_as_blank"],
    "F014": [NO_TABLE], "F015": [PREAMBLE, f"{DIALECTS}::test_a_header_that_is_not_found_is_refused"],
    "F016": [PREAMBLE, f"{DIALECTS}::test_a_line_that_looks_like_a_total_is_refused_until_it_is_declared"],
    "F017": [NO_TABLE, f"{SOURCES}::test_a_header_without_rows_is_told_and_refused_where_abm_toml_asks_for_the_table"],
    "F018": [NO_TABLE], "F019": [NO_TABLE, f"{FORMS}::test_a_file_that_is_no_workbook_is_refused"],
    "F020": [f"{FORMS}::test_a_row_with_a_cell_in_error_is_set_aside_with_its_number",
             f"{FORMS}::test_a_sheet_that_is_not_declared_or_not_there_is_refused",
             f"{FORMS}::test_days_of_a_workbook_of_1904_are_its_own"],
    "F021": [f"{FORMS}::test_a_workbook_that_grows_without_end_is_not_unpacked"],
    "F022": [f"{FORMS}::test_a_compressed_file_that_was_cut_is_refused"],
    "F024": [f"{FORMS}::test_a_file_that_leads_out_of_the_folder_is_refused"],
    "F025": [f"{FORMS}::test_the_same_bytes_under_two_names_are_read_once_and_told"],
    "F026": [f"{FORMS}::test_exports_that_overlap_count_each_row_once", f"{SOURCES}::test_rows_of_one_key_that_differ_are_all_set_aside"],
    "F027": ["test_fault_corpus.py::test_a_file_that_is_still_being_written_is_refused"],
    # b. dates, zones, calendars
    "F031": [NO_DAY, f"{DIALECTS}::test_the_message_says_how_a_day_was_declared"], "F032": [ZONE],
    "F033": ["test_traps.py::test_a_quarter_begins_at_midnight_of_the_company_s_own_zone",
             "test_fault_corpus.py::test_rows_near_the_ends_of_the_quarter_are_counted_with_their_money"],
    "F034": [ZONE, "test_period.py::test_a_day_begins_at_its_first_instant_even_where_midnight_is_skipped_or_comes_twice"],
    "F035": ["test_config.py::test_an_unknown_zone_is_answered_with_the_nearest_known_one",
             f"{DIALECTS}::test_a_dialect_that_cannot_be_meant_is_a_usage_error"],
    "F036": [BLANKS, NO_DAY], "F037": [DAY, NO_DAY],
    "F039": ["test_period.py::test_a_year_from_february_is_named_by_its_end_or_its_start"],
    "F040": ["test_period.py::test_445_months_and_quarters_are_those_of_fiscal445",
             "test_period.py::test_the_retail_year_2023_has_its_53rd_week_in_the_last_month",
             "test_caveats.py::test_a_quarter_of_14_weeks_says_so_and_so_do_those_that_are_held_against_it"],
    "F044": ["test_company.py::test_data_of_one_running_quarter_hold_no_complete_one"],
    "F045": ["test_cli.py::test_a_quarter_of_another_form_or_outside_the_data_is_exit_2"],
    # c. numbers and money
    "F050": [AMOUNT, NO_AMOUNT, CHANGED],
    "F051": [f"{DIALECTS}::test_a_thousand_with_a_point_is_a_thousand_where_that_is_declared_and_one_point_two_where_not",
             f"{DIALECTS}::test_a_column_of_money_with_three_decimals_throughout_is_refused_until_its_marks_are_declared"],
    "F052": [f"{DIALECTS}::test_the_ways_to_write_less_than_nothing_are_understood", NO_AMOUNT],
    "F053": [f"{DIALECTS}::test_a_share_is_written_in_the_declared_unit", f"{DIALECTS}::test_a_share_in_another_unit_is_set_aside"],
    "F054": [BLANKS], "F055": [f"{DIALECTS}::test_an_account_may_be_called_what_stands_for_a_blank_elsewhere"],
    "F056": [f"{SOURCES}::test_ids_that_a_spreadsheet_rewrote_are_refused_whatever_the_threshold"],
    "F059": ["test_traps.py::test_spend_in_two_currencies_is_never_added_as_it_stands"],
    "F060": ["test_traps.py::test_what_has_no_rate_is_counted_and_not_priced", f"{SOURCES}::test_an_exchange_rate_is_above_zero"],
    "F063": ["metrics/test_ads.py::test_ad_click_rate_without_impressions_is_undefined"],
    "F064": ["test_traps.py::test_money_adds_up_to_the_cent_in_any_order", OTHERWISE],
    "F065": [f"{SOURCES}::test_the_usual_ways_to_write_yes_and_no_are_understood", OTHERWISE],
    # d. keys and identity
    "F070": [f"{IDENTITY}::test_a_short_and_a_long_id_are_one_record_and_case_tells_two_apart",
             f"{IDENTITY}::test_an_id_that_contradicts_its_checksum_is_set_aside"],
    "F071": [f"{SOURCES}::test_ids_that_differ_in_case_or_leading_zeros_are_different_accounts"],
    "F072": [f"{IDENTITY}::test_ids_that_lost_their_case_are_refused_whatever_the_threshold"],
    "F074": [f"{SOURCES}::test_rows_of_one_key_that_differ_are_all_set_aside"],
    "F075": [f"{IDENTITY}::test_a_ring_is_refused_by_name", "test_derive.py::test_a_chain_of_merges_is_followed_to_its_end"],
    "F076": ["test_derive.py::test_people_are_followed_too_and_counted_once",
             "test_facts.py::test_a_deal_merged_after_the_quarter_was_known_is_still_open_at_its_end"],
    "F077": ["test_derive.py::test_who_was_recorded_twice_is_known_since_the_earlier_record"],
    "F078": [f"{IDENTITY}::test_people_without_an_account_find_theirs_by_domain_and_nothing_is_guessed"],
    "F079": ["test_derive.py::test_where_someone_worked_before_the_surviving_record_the_merged_one_says"],
    "F080": [f"{IDENTITY}::test_a_ring_is_refused_by_name",
             f"{IDENTITY}::test_rolled_up_an_account_counts_for_its_topmost_parent_and_the_effect_is_told"],
    "F081": [f"{SOURCES}::test_a_reference_that_leads_nowhere_is_counted_and_above_the_threshold_refused"],
    "F082": [f"{IDENTITY}::test_free_mail_and_providers_are_known",
             f"{IDENTITY}::test_people_without_an_account_find_theirs_by_domain_and_nothing_is_guessed"],
    "F084": ["test_facts.py::test_account_attributes_and_the_list_are_those_of_the_start_of_the_quarter",
             "metrics/test_accounts.py::test_target_accounts_that_joined_left_and_changed_tier_stand_in_the_slice_movement"],
    "F085": [f"{SOURCES}::test_intervals_that_hold_on_the_same_day_are_refused"],
    "F088": ["test_derive.py::test_what_was_done_by_people_at_test_accounts_goes_with_them"],
    # e. completeness, freshness, drift
    "F090": ["metrics/test_quality.py::test_source_age_days_runs_from_the_newest_row_to_the_day_the_quarter_is_told"],
    "F092": [f"{DRIFT}::test_a_table_that_lost_half_or_doubled_is_told"],
    "F095": ["sources/test_pull.py::test_a_query_of_abm_toml_goes_before_the_table_and_a_table_that_grew_is_refused"],
    "F096": [f"{DRIFT}::test_a_column_that_went_came_or_emptied_is_told",
             f"{SOURCES}::test_a_required_column_under_another_name_is_refused_with_the_nearest"],
    "F097": [f"{SOURCES}::test_a_stage_that_abm_toml_does_not_place_is_told_and_refused_where_it_holds_the_money"],
    "F099": [f"{DRIFT}::test_a_column_that_went_came_or_emptied_is_told"],
    "F100": [f"{SOURCES}::test_a_reference_that_leads_nowhere_is_counted_and_above_the_threshold_refused"],
    "F101": ["sources/test_maps.py::test_a_companys_map_adds_a_field_translates_values_and_leaves_the_rest",
             "sources/test_maps.py::test_the_check_says_what_is_mapped_what_is_missing_and_what_it_would_unlock"],
    "F102": ["test_gate.py::test_a_final_edition_whose_numbers_changed_is_restated_and_counted",
             "test_gate.py::test_a_diff_names_what_moved_and_the_input_that_changed",
             "metrics/test_revenue.py::test_revenue_restatement_leads_from_what_was_reported_to_what_is_known"],
    "F103": ["test_schedule.py::test_a_calendar_of_months_has_a_provisional_and_a_final_day_that_recur",
             "test_facts.py::test_a_close_recorded_after_the_days_to_settle_leaves_the_quarter_as_it_was_known"],
    "F104": [f"{DRIFT}::test_a_table_that_is_no_longer_delivered_is_told",
             "test_page.py::test_a_metric_that_nobody_collects_leaves_a_line_and_not_an_error"],
    "F105": [f"{SOURCES}::test_a_missing_table_that_abm_toml_asks_for_is_refused_with_the_nearest_file"],
    "F106": ["metrics/test_quality.py::test_finance_tie_out_is_our_total_over_finance_s"],
    "F107": [f"{SMALL}::test_in_the_first_quarter_ever_nothing_is_compared"],
    # f. what sources mean
    "F111": [ZONE], "F112": [f"{WEB}::test_website_sessions_belong_to_the_day_of_their_first_view_by_a_person"],
    "F113": ["test_caveats.py::test_an_open_rate_that_nobody_filters_says_so",
             f"{CONTENT}::test_email_open_rate_leaves_machines_out_and_is_never_judged"],
    "F114": [f"{IDENTITY}::test_clicks_of_link_scanners_are_marked_and_kept"],
    "F115": [f"{CONTENT}::test_email_open_rate_leaves_machines_out_and_is_never_judged"],
    "F116": [f"{IDENTITY}::test_user_agents_of_bots_are_known_to_maps",
             "metrics/test_quality.py::test_machine_activity_share_is_flagged_events_over_all"],
    "F117": [f"{IDENTITY}::test_people_without_an_account_find_theirs_by_domain_and_nothing_is_guessed"],
    "F118": [f"{WEB}::test_utm_hygiene_rate_lists_what_does_not_fit_and_never_an_address"],
    "F120": ["metrics/test_ads.py::test_ad_click_rate_without_impressions_is_undefined"],
    "F122": ["test_privacy.py::test_few_answers_are_hidden_in_both_and_a_score_tells_nothing_of_its_parts"],
    "F123": ["test_hostile.py::test_no_person_of_any_source_reaches_anything_that_is_published_or_said"],
    "F124": [f"{CONTENT}::test_email_click_rate_counts_each_person_once_for_each_email_and_no_machine"],
    # g. arithmetic and presentation
    "F130": [f"{SMALL}::test_a_quarter_without_a_deal_reads_0_where_the_data_reach_and_says_so_where_they_do_not"],
    "F131": [f"{SMALL}::test_every_page_opens_and_says_what_it_cannot_say"],
    "F132": ["test_show.py::test_a_change_says_its_sign_and_a_change_of_nothing_is_a_dash"],
    "F133": ["test_every_metric.py::test_a_ratio_is_its_numerator_over_its_denominator",
             "test_identities.py::test_the_slices_of_an_additive_metric_sum_to_the_whole"],
    "F134": ["test_identities.py::test_the_shares_of_the_source_owners_sum_to_1"],
    "F135": ["test_caveats.py::test_a_total_that_is_mostly_one_deal_says_so_and_not_where_the_edition_travels"],
    "F136": ["test_show.py::test_a_rate_of_few_is_not_held_against_last_year"],
    "F137": ["test_browser.py::test_no_text_overlaps_or_is_cut_and_no_chart_is_empty",
             "test_show.py::test_bars_beyond_six_become_one_that_makes_them_sum_to_the_whole"],
    "F138": ["test_show.py::test_a_verdict_takes_colour_only_where_the_range_clears"],
    "F139": ["test_gate.py::test_a_diff_blames_the_definition_where_its_version_moved"],
    "F140": ["test_every_metric.py::test_numbers_are_finite_and_lie_within_their_range",
             "test_render.py::test_no_code_for_something_missing_reaches_the_reader"],
    # h. hostile text and files
    **{rule: [HOSTILE] for rule in ("F150", "F151", "F152", "F153", "F154", "F156", "F157", "F162", "F167")},
    "F155": ["test_hostile.py::test_no_hostile_text_is_a_formula_in_the_csv_and_every_row_is_still_there",
             "test_deliveries.py::test_no_text_of_a_workbook_is_a_formula_a_link_or_a_number"],
    "F158": ["test_hostile.py::test_hostile_headers_and_values_cannot_forge_a_message_or_paint_the_terminal"],
    "F159": ["test_deliveries.py::test_a_company_that_is_called_like_a_mail_header_stays_in_the_subject"],
    "F160": ["test_schedule.py::test_no_text_of_a_company_is_a_command_a_mention_or_a_header"],
    "F165": [f"{DIALECTS}::test_a_dialect_that_cannot_be_meant_is_a_usage_error"],
    "F163": ["test_config.py::test_broken_toml_is_refused_with_its_line"],
    # i. privacy
    "F170": [CANARIES, "test_hostile.py::test_inputs_that_are_refused_are_explained_without_naming_anyone"],
    "F171": ["test_hostile.py::test_a_bug_is_logged_without_the_address_that_it_carried",
             "test_run.py::test_a_notebook_that_does_not_reach_its_end_is_refused_with_its_cell",
             "test_run.py::test_the_copy_that_a_run_leaves_says_that_it_is_for_analysts_alone"],
    "F173": [f"{PRIVACY}::test_addresses_in_campaign_names_and_utms_are_masked_and_stay_apart",
             f"{WEB}::test_utm_hygiene_rate_lists_what_does_not_fit_and_never_an_address"],
    "F174": [f"{PRIVACY}::test_shared_hides_the_whole_table_of_a_small_cell_and_rounds_the_rest"],
    "F175": [f"{PRIVACY}::test_an_attacker_with_all_sums_and_margins_recovers_no_hidden_number",
             f"{PRIVACY}::test_the_last_four_editions_together_give_no_hidden_person_away",
             f"{PRIVACY}::test_comparisons_and_colours_are_made_from_what_is_told"],
    "F176": [f"{PRIVACY}::test_no_hidden_number_stands_in_a_page_a_drawing_its_data_or_the_workbook", CANARIES],
    "F177": ["test_deliveries.py::test_the_pdf_is_tagged_has_bookmarks_and_the_numbers_of_the_executive_page"],
    "F178": ["test_derive.py::test_who_withdrew_is_nobody_and_what_they_did_stays_without_them"],
    "F179": [CANARIES], "F180": ["test_run.py::test_the_copy_that_a_run_leaves_says_that_it_is_for_analysts_alone"],
    # k. configuration and people
    "C01": ["test_config.py::test_an_unknown_key_is_named_with_its_place_and_the_nearest_known_one",
            "test_cli.py::test_an_unknown_name_is_answered_with_the_nearest"],
    "C02": ["test_run.py::test_every_notebook_is_checked_for_its_parameters_before_one_runs"],
    "C03": ["test_every_metric.py::test_every_metric_says_its_source_what_it_counts_and_when_it_is_missing",
            "test_every_metric.py::test_every_metric_is_worked_by_hand_in_the_file_of_its_family"],
    "C04": ["test_show.py::test_a_verdict_takes_colour_only_where_the_range_clears"],
    "C07": ["test_environment.py::test_a_lock_file_pins_each_direct_dependency_within_its_bounds",
            "test_environment.py::test_what_is_installed_is_held_against_the_lock_file"],
    "C08": ["test_run.py::test_a_small_sample_company_is_published_from_end_to_end"],
    "C05": ["test_kernels.py::test_each_notebook_has_a_fresh_process_and_its_own_luck"],
    "C06": ["test_notebook_shape.py::test_a_notebook_is_valid_stores_no_output_and_names_the_common_kernel"],
}  # fmt: skip

# What ends in another class than the corpus asks for, and why.
OTHERWISE_THAN_ASKED = {
    "F172": "a name with a mail address is told; that a name is a person's no rule can tell, and where an edition travels all "
            "accounts go by code",
    "F090": "told and not refused: nothing says that the source had anything more to tell",
    "F118": "what is nearly one of `utm.sources` is told with it; without such a list nothing is suggested",
    "F120": "a cost without impressions is told; settings of an ad platform are not delivered",
    "F004": "a file is refused of which no line beyond ASCII is UTF-8; where some are, the others are set aside by line",
    "F013": "in canonical files a header that differs in case is refused, not put right; maps of systems know the other names",
    "F043": "told and not set aside: no quarter that is over counts the row; without a day of extraction nobody can tell",
    "F057": "told and never refused: a system may well give ids of several lengths",
    "F058": "refused against the last edition; told while there is none to hold it against",
    "F059": "money without a rate is counted and not priced, on the card of the number; other numbers of the run are sound",
    "F083": "names that only look alike are not reported; a name is no key, so nothing is merged by it",
    "F084": "the list is that of the quarter's start; that it changed is shown as movement, not as a caveat of each number",
    "F023": "a field of more than 2 MB sets its own row aside, and the file is refused when such rows are too many",
    "F026": "equal rows of one key count once; those that differ are all set aside, and of two sources refused, whichever is newer",
    "F034": "a moment that clocks skipped or showed twice is read by one rule; such moments are not counted apart",
    "F038": "milliseconds declared as seconds are refused; what the tool itself wrote as January 1970 is told",
    "F054": "declared blanks are counted; a bound such as < 10% is set aside and not kept as one",
    "F061": "a code of ISO 4217 that ended is told of on days after, and not priced where no rate is; other codes are set aside",
    "F076": "merged records are followed by the ids that a source gives; deals that a source left unmerged are not searched for",
    "F087": "a deal without an account or an owner counts, in the rows of unknown ones; without a stage it is set aside",
    "F092": "held against the last edition and not the median of four, and told; refused are tables that lost too many rows themselves",
    "F096": "a required column is refused; an optional one that went is told with the name it may have now, and refused only where "
            "the last edition had values throughout",
    "F099": "refused against the last edition where it lost every value in many rows; told while there is none, and of few rows",
    "F101": "columns that a file lacks, is_deleted too, stand in the lines of abm check and not among the faults",
    "F091": "told and not refused: a quiet month looks the same",
    "F106": "held against what finance states alone; two systems are not compared",
    "F136": "a rate of few carries its n and its interval and is not judged",
    "F165": "patterns are RE2's, whose time grows with the line alone: a limit is never reached, and what RE2 does not know is refused",
    "F159": "line ends are taken out of the subject; the mail is not refused",
}  # fmt: skip

# What cannot happen here, and why.
NOT_HERE = {
    "F110": "figures of GA4's reports are not read, only its events, which have no sampled or grouped rows",
    "F121": "conversions as a platform counts them are no column of any table",
    "F161": "no file is named by a value of the data",
    "F164": "notebooks are the project's own; none is read from the inputs",
    "F166": "no reader of pickled files exists; Parquet is read by DuckDB alone, its metadata never",
}  # fmt: skip

# What is not done yet, and what stands in its place.
NOT_DONE: dict[str, str] = {
}  # fmt: skip

# The classes that the corpus asks for: A accept, N put right and count, Q set the row aside, D tell beside the number, E refuse
# before anything is computed, R refuse to publish. What is refused of the inputs is refused before anything is computed: R is E.
ASKED = dict(
    entry.split() for entry in """
F001 A, F002 A, F003 E, F004 E, F005 D, F006 Q, F007 QE, F008 AE, F009 A, F010 E, F011 Q, F012 E, F013 NE, F014 E, F015 AE, F016 NE,
F017 ED, F018 E, F019 E, F020 AQ, F021 E, F022 E, F023 AE, F024 AE, F025 N, F026 NQ, F027 E, F030 E, F031 QE, F032 N, F033 A, F034 N,
F035 AE, F036 NQ, F037 NQ, F038 AE, F039 A, F040 AD, F041 D, F042 QD, F043 Q, F044 D, F045 E, F046 E, F050 AE, F051 AE, F052 NQ,
F053 AQ, F054 ND, F055 A, F056 E, F057 ED, F058 E, F059 E, F060 QED, F061 NQ, F062 D, F063 A, F064 AD, F065 NQ, F070 NQ, F071 A,
F072 E, F073 N, F074 NQE, F075 NE, F076 N, F077 N, F078 A, F079 A, F080 AE, F081 DE, F082 NE, F083 A, F084 D, F085 E, F086 N, F087 Q,
F088 N, F090 DE, F091 E, F092 DE, F093 E, F094 E, F095 E, F096 AE, F097 DE, F098 D, F099 E, F100 E, F101 D, F102 A, F103 D, F104 D,
F105 E, F106 D, F107 D, F110 DE, F111 DE, F112 N, F113 D, F114 N, F115 D, F116 N, F117 N, F118 N, F119 AQ, F120 D, F121 E, F122 NE,
F123 A, F124 A, F130 A, F131 A, F132 A, F133 A, F134 D, F135 D, F136 D, F137 A, F138 A, F139 D, F140 E, F150 A, F151 A, F152 A,
F153 A, F154 A, F155 A, F156 N, F157 A, F158 A, F159 E, F160 A, F161 A, F162 A, F163 E, F164 E, F165 E, F166 E, F167 A,
F170 A, F171 A, F172 D, F173 N, F174 A, F175 A, F176 A, F177 A, F178 N, F179 A, F180 A,
C01 E, C02 E, C03 E, C04 E, C05 A, C06 E, C07 D, C08 E
""".replace("\n", " ").split(",")
)  # fmt: skip
