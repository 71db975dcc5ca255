"""Where each process fault of the corpus is provoked: rule id to `file::test`; what cannot be provoked here, and why."""

from __future__ import annotations

RUN, FAULTS, SCHEDULE, STORE = "test_run.py", "test_faults.py", "test_schedule.py", "test_store.py"
KILLED = f"{FAULTS}::test_killed_at_any_moment_a_reader_sees_the_old_edition_or_the_new_one_whole"
ANY_PLACE = f"{FAULTS}::test_whatever_the_environment_the_bytes_are_the_same"
ENDED_LAST = f"{SCHEDULE}::test_the_quarter_that_ended_last_is_that_of_the_companys_zone"

PROVOKED: dict[str, list[str]] = {
    "P01": [KILLED, f"{RUN}::test_whatever_step_fails_the_reader_sees_the_old_edition"],
    "P02": [f"{FAULTS}::test_stopped_it_ends_its_kernels_frees_the_lock_and_says_so_by_its_exit_code"],
    "P03": [f"{RUN}::test_a_notebook_that_does_not_reach_its_end_is_refused_with_its_cell"],
    "P04": [f"{FAULTS}::test_a_cell_out_of_memory_is_refused_with_its_cell"],
    "P05": [f"{FAULTS}::test_a_cell_that_hangs_is_named_when_its_time_is_up"],
    "P06": [f"{FAULTS}::test_a_full_disk_is_told_before_the_work_and_while_writing"],
    "P07": [f"{FAULTS}::test_a_folder_that_cannot_be_written_to_is_told_before_the_work"],
    "P08": [
        f"{RUN}::test_the_one_that_waits_is_told_who_holds_the_lock_before_it_reads_an_input",
        f"{RUN}::test_another_quarter_may_be_published_meanwhile",
    ],
    "P09": [KILLED, f"{RUN}::test_a_lock_file_of_a_process_that_is_gone_holds_nobody_up"],
    "P10": [f"{RUN}::test_reports_on_another_file_system_than_the_company_are_put_in_force_in_one_step"],
    "P11": [f"{RUN}::test_interrupted_while_it_is_put_in_force_a_reader_sees_the_old_edition_or_the_new_one"],
    "P12": [f"{RUN}::test_a_folder_without_symbolic_links_is_told_before_the_work"],
    "P15": [f"{RUN}::test_a_clock_that_jumps_back_gives_no_negative_seconds_and_no_id_twice"],
    "P16": [
        f"{RUN}::test_two_runs_with_the_same_readings_publish_the_same_pages",
        f"{SCHEDULE}::test_a_run_that_published_the_same_again_tells_nobody",
        f"{SCHEDULE}::test_a_crontabs_commands_run_in_crons_bare_shell_and_what_goes_wrong_is_mailed",
        f"{SCHEDULE}::test_the_heartbeat_names_the_quarter_that_is_late",
    ],
    "P17": [ENDED_LAST],
    "P18": [f"{SCHEDULE}::test_one_who_refuses_is_named_without_the_address_and_asked_again_next_time"],
    "P19": [f"{SCHEDULE}::test_nobody_to_tell_is_a_fault"],
    "P20": [ANY_PLACE],
    "P21": ["test_deliveries.py::test_without_a_browser_the_run_says_so_before_it_begins"],
    "P24": [f"{RUN}::test_a_changed_added_or_missing_file_of_an_edition_is_noticed"],
    "P25": [KILLED],
}
NOT_HERE = {
    "P13": "a run reads files; servers are asked by `abm pull` alone, whose broken answers are in sources/test_rest.py",
    "P14": "a run reads inputs that were frozen once, so nothing changes between two of its queries",
    "P22": "one set of locked versions is installed here; `abm doctor` and every manifest print them",
    "P23": "no power can be cut here; files are synced before the folder is named, and the manifest is written last",
    "P26": "a reader's half-copied folder is not ours to see; `abm verify` names what is missing in it",
}
