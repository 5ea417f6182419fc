//! The list of all claims, and the macro that makes a test of each. A claim that is missing here is
//! dead code, and the compiler says so.

/// Makes a test of every claim for the store that `$harness` opens, which implements
/// [`conformance::Harness`](crate::conformance::Harness) and [`Default`]. The crate that calls it
/// needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! conformance_tests {
    ($harness:ty) => {
        type ConformanceHarness = $harness;
        $crate::conformance_claims! { $crate::conformance_test_modules }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_modules {
    ($($concern:ident { $($claim:ident)* })*) => {$(
        mod $concern {$(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $claim() {
                let harness = <super::ConformanceHarness as ::std::default::Default>::default();
                let claim = concat!(stringify!($concern), "::", stringify!($claim));
                $crate::conformance::check(claim, ::std::boxed::Box::new(harness)).await;
            }
        )*}
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_claims {
    ($($expand:tt)+) => {
        $($expand)+! {
            accept {
                a_message_is_read_back_as_it_was_accepted
                an_id_whose_tail_differs_is_not_found
                a_message_is_not_found_in_another_application
                a_refused_item_does_not_fail_the_others
                ids_grow_in_the_order_of_the_items
                an_empty_batch_has_no_answers
                a_stale_registry_revision_is_refused_and_nothing_is_written
                a_registry_revision_from_the_future_is_stale_too
                an_event_id_is_unique_in_its_application_and_only_there
                event_ids_differ_by_case
                deliveries_come_back_in_order_with_holds_for_the_owned
                a_message_that_nobody_wants_is_kept
                concurrent_messages_are_each_accepted_once
            }
            access {
                a_revocation_is_read_behind_the_version_before_it
                a_version_of_another_database_gets_all
                a_token_that_is_revoked_again_stays_so_for_longer
                a_floor_that_holds_takes_the_place_of_lower_ones
                an_api_key_is_read_back_as_it_was_made
                an_api_key_is_replaced_only_as_it_was_read
                there_are_no_more_api_keys_than_there_may_be
                the_last_use_of_an_api_key_is_the_latest
                a_token_that_is_good_once_is_taken_once
                a_token_that_is_good_once_expires
                what_has_no_more_to_say_is_swept
            }
            applications {
                an_application_is_read_back_as_it_was_made
                an_application_is_found_only_by_its_whole_id
                replacing_an_application_keeps_its_id_and_creation
                replacing_data_keys_is_no_save_but_stale_for_what_was_read_before
                no_data_key_is_written_that_another_master_key_sealed_than_seals_now
                a_taken_application_uid_is_refused
                a_uid_that_was_given_up_is_free
                a_stale_application_revision_is_refused
                an_application_that_is_not_there_is_missing
                every_change_of_its_endpoints_grows_an_applications_revision
                applications_page_in_both_directions
                a_full_page_of_applications_knows_whether_it_is_the_last
                applications_are_listed_by_what_their_endpoints_are
                deleted_endpoints_do_not_count_in_lists_of_applications
            }
            attempts {
                attempts_are_listed_by_message_and_by_endpoint
                attempts_page_through_everything_once_in_both_directions
                a_full_page_of_attempts_knows_whether_it_is_the_last
                attempts_are_listed_by_how_they_ended
                attempts_are_listed_by_what_their_messages_are
                excerpts_and_messages_come_only_when_asked
                an_attempts_message_without_payload_is_still_there
            }
            audit {
                an_entry_is_written_with_its_change_and_read_back
                what_a_change_made_is_named_by_its_id
                a_refused_change_and_a_repeat_leave_no_entry
                entries_are_listed_by_application_action_actor_and_subject
                entries_are_chained_in_the_order_that_is_given
                of_those_that_seal_at_once_one_wins
                what_is_sealed_already_or_from_another_head_is_stale
                what_is_sealed_can_be_cut_and_nothing_else
            }
            left {
                what_a_command_left_is_taken_in_once_under_a_key_of_the_stores
                what_was_left_while_nobody_worked_is_there_for_the_next
                of_those_that_take_in_at_once_each_entry_is_one_ones
                a_setting_that_was_another_stays_and_nothing_is_left_of_it
            }
            came_in {
                what_came_in_before_is_seen
                an_entry_without_an_unsigned_id_is_read_back_without_one
                what_was_signed_anew_is_seen_by_its_second_key
                what_comes_twice_in_one_batch_comes_in_once
                what_comes_many_times_at_once_comes_in_once
                what_came_in_is_seen_after_reopening
                what_came_in_is_seen_whatever_has_become_of_it
                a_refused_item_leaves_no_entry
                an_entry_ends_although_nothing_was_swept
                an_entry_that_has_ended_already_fails_nobody
                entries_that_have_ended_are_swept
                a_repeat_is_one_before_it_is_seen
            }
            cancel {
                cancelling_ends_what_was_opened_before_and_nothing_else
                cancelling_ends_what_was_opened_in_the_same_moment
                a_cancellation_is_seen_with_its_endpoint_and_stays
                cancelling_at_what_is_not_there_is_missing
            }
            claim {
                a_claim_brings_all_that_an_attempt_needs
                an_owned_delivery_is_not_claimed_until_its_hold_drops
                a_claimed_delivery_is_not_claimed_again_until_its_hold_drops
                reopening_lets_go_of_everything
                a_hold_from_before_reopening_lets_go_of_nothing
                what_is_not_due_is_not_claimed
                a_claim_stops_after_the_most_payload_it_reads
                live_goes_before_replayed_and_the_earliest_due_first
                a_claim_takes_at_most_its_limit
                a_claim_takes_from_its_own_lane
                lanes_show_the_earliest_that_nobody_holds
                whoever_has_the_sole_right_gets_it_again
                what_is_released_can_be_claimed_and_what_is_held_stays_held
                a_lane_shows_the_earliest_of_all_classes
                a_lane_whose_deliveries_are_all_held_is_not_shown
                lanes_are_walked_by_ascending_endpoint
                nothing_is_handed_out_twice_at_once
            }
            content {
                an_expunged_payload_is_gone_and_its_message_stays
                expunging_again_or_what_is_not_there_changes_nothing
                expunging_ends_what_is_open_whoever_holds_it
                an_attempt_under_way_while_its_payload_is_expunged_is_kept
                a_revision_grows_only_where_something_open_was_ended
                nothing_is_opened_of_an_expunged_payload
                an_expunged_excerpt_is_empty_and_stays_so
                an_excerpt_is_expunged_only_by_its_whole_id_under_its_message
                a_delivery_is_open_until_it_is_ended_or_moves_on
                a_lanes_first_due_time_is_that_of_its_earliest_open_delivery
            }
            deletes {
                a_deleted_application_is_missing_everywhere
                a_deleted_applications_uid_is_free
                deleting_an_application_ends_its_open_deliveries
                a_deleted_endpoint_is_missing_from_what_is_live
                a_deleted_endpoints_uid_is_free
                deleting_an_endpoint_ends_its_open_deliveries
                an_attempt_under_way_while_its_endpoint_is_deleted_is_kept
                a_deleted_endpoint_is_seen_beside_its_old_attempts
            }
            deliveries {
                a_delivery_tells_what_became_of_it_in_every_phase
                a_delivery_says_whose_it_is
                whatever_ends_a_delivery_is_found_as_cancelled
                deliveries_page_once_in_both_directions_by_every_filter
                a_full_page_of_deliveries_knows_whether_it_is_the_last
                deliveries_to_many_endpoints_page_once_in_both_directions
                a_list_goes_on_where_it_was_while_deliveries_come_and_go
                what_is_sent_again_with_success_is_given_up_no_more
                a_series_that_goes_on_after_a_failure_by_hand_is_not_given_up
                deliveries_are_listed_by_type_of_message
                deliveries_of_deleted_applications_are_not_listed
                deliveries_go_with_their_messages
                a_walk_of_deliveries_stops_after_the_most_it_looks_at
                much_that_is_open_is_listed_by_application_and_endpoint
                messages_for_nobody_are_passed_over
                an_endpoint_is_found_by_its_whole_id_also_when_it_is_deleted
            }
            durability {
                a_message_answered_is_there_after_reopening
                what_waits_is_claimed_after_reopening_in_its_order
                a_store_that_was_just_opened_can_write
                keys_grow_although_the_clock_is_set_back
                keys_grow_although_all_that_was_made_is_swept
                a_keys_time_is_when_its_row_was_made
                a_setting_is_written_once
                settings_written_at_once_agree
                a_backup_is_a_store_with_the_same_content
                a_backup_made_under_load_is_consistent
                a_backup_into_a_directory_with_something_in_it_is_refused
            }
            endpoints {
                an_endpoint_is_read_back_as_it_was_made
                an_application_comes_with_its_endpoints_by_ascending_key
                replacing_an_endpoint_keeps_its_id_and_creation
                an_endpoint_uid_is_unique_in_its_application_and_only_there
                an_application_has_as_many_endpoints_as_it_may
                endpoints_made_at_once_keep_to_the_limit
                a_stale_endpoint_revision_is_refused
                a_stale_replacement_does_not_disable
                an_endpoint_that_is_not_there_is_missing
                what_a_receiver_was_verified_by_goes_with_its_endpoint
                what_is_known_of_a_url_is_kept_for_that_url_alone
                a_new_delivery_is_due_at_once
                a_delivery_of_what_is_not_there_is_missing
            }
            environment {
                settings_are_read_back_and_heard_of_behind_a_version
                settings_that_changed_since_they_were_read_are_stale
                event_types_written_at_once_are_as_those_written_one_by_one
                an_environment_is_written_as_a_whole_or_not_at_all
                what_is_beside_event_types_is_written_with_them_or_nothing_is
            }
            event_types {
                an_event_type_is_read_back_as_it_was_put
                putting_an_event_type_again_keeps_its_creation
                a_live_event_type_is_taken_and_an_archived_one_is_not
                an_event_type_saved_meanwhile_is_stale
                an_expunged_event_type_is_gone
                names_find_archived_event_types_and_leave_out_missing_ones
                event_types_page_by_name_in_both_directions
                a_full_page_of_event_types_knows_whether_it_is_the_last
                event_types_are_listed_beyond_a_name_that_need_not_exist
                event_types_are_listed_to_those_who_may_see_them
                schemas_come_only_when_asked_and_bound_a_page
            }
            redactions {
                an_event_type_has_its_redaction_until_it_is_taken_away
                rules_stay_with_their_event_type_and_go_with_it
                there_are_no_more_redactions_than_may_be
            }
            retry_schedules {
                an_event_type_has_its_own_schedule_until_it_is_taken_away
                a_schedule_stays_with_its_event_type_and_goes_with_it
                there_are_no_more_schedules_than_may_be
            }
            expunge_all {
                expunging_all_takes_what_was_accepted_before_and_nothing_else
                expunging_all_goes_on_after_reopening
                what_is_gone_already_is_not_expunged_again
                expunging_all_goes_on_in_a_deleted_application
            }
            fan_out {
                without_work_there_is_nothing_to_do
                a_fan_out_opens_what_the_accept_did_not_carry
                a_fan_out_reaches_only_those_that_want_the_message
                a_fan_out_may_pass_over_endpoints_that_have_proved_nothing
                a_fan_out_skips_endpoints_made_or_deleted_since
                a_fan_outs_deliveries_are_due_with_their_message
                a_fan_out_of_a_message_whose_payload_is_gone_opens_nothing
                a_fan_out_goes_on_after_reopening_and_opens_each_delivery_once
                ending_deliveries_goes_on_after_reopening_and_ends_each_once
                a_row_of_work_is_there_before_and_after_its_end
                works_of_several_kinds_are_all_done
                a_message_type_with_an_odd_name_fans_out
            }
            forward {
                messages_of_all_applications_are_read_in_the_order_of_their_keys
                messages_of_all_applications_are_read_by_type_channel_and_tag
                a_walk_along_all_messages_stops_after_the_most_rows_it_looks_at
                a_follower_of_all_applications_misses_nothing
                whoever_begins_at_the_border_sees_what_is_accepted_from_then_on
            }
            health {
                failing_begins_once
                what_fails_is_found_by_when_that_began
                a_success_forgets_since_when_it_failed
                failing_and_working_leave_revisions_alone
                enabling_forgets_since_when_it_failed
                an_outcome_can_disable_its_endpoint
                what_is_disabled_is_not_disabled_again
                disabling_ends_what_was_opened_before_enabling
                writing_a_disabled_endpoint_again_starts_no_work
                an_ended_delivery_says_what_it_was
                an_attempt_under_way_while_its_endpoint_is_disabled_is_kept
                an_attempt_that_ends_before_the_work_is_not_rescheduled
            }
            idempotency {
                a_repeat_is_answered_from_the_first
                a_repeat_within_one_batch_is_one
                concurrent_repeats_happen_once
                another_body_under_the_same_key_is_refused
                a_repeat_is_one_whatever_has_changed_since
                a_key_survives_reopening
                a_key_ends_with_its_life
                a_key_ends_with_its_life_although_nothing_was_swept
                a_refused_item_keeps_no_key
                an_unknown_key_has_no_prior
                a_change_with_a_known_key_is_not_done_again
                a_change_with_another_body_under_its_key_is_refused
                a_refused_change_keeps_no_key
            }
            lists {
                windows_page_through_everything_once_in_both_directions
                windows_leave_out_their_borders
                a_full_page_knows_whether_it_is_the_last
                an_empty_page_knows_whether_there_is_anything
                a_walk_back_is_not_disturbed_by_what_is_added
                a_follower_misses_nothing_that_is_added_meanwhile
                messages_are_listed_by_type_channel_and_tag
                payloads_come_only_when_asked
                a_walk_stops_after_the_most_rows_it_looks_at
                walks_stop_after_the_most_content_they_read
            }
            nodes {
                a_store_that_was_just_opened_lists_itself_once_and_alive
                a_node_holds_what_it_was_given_until_that_has_ended
            }
            random_walk {
                seed_1_agrees_with_the_reference
                seed_2_agrees_with_the_reference
                seed_3_agrees_with_the_reference
                seed_4_agrees_with_the_reference
            }
            observed {
                what_is_observed_is_read_back_as_it_was_recorded
                attempts_that_saw_the_same_chain_both_give_it_back
                lists_leave_out_what_is_observed
                expunging_what_was_answered_takes_the_head
                erasing_a_message_takes_the_heads_of_its_attempts
                a_chain_stays_for_as_long_as_an_attempt_that_names_it
            }
            record {
                an_attempt_is_read_back_as_it_was_recorded
                an_attempt_is_found_only_by_its_whole_id_under_its_message
                an_attempt_shows_the_url_it_went_to
                a_success_closes_the_delivery
                giving_up_closes_the_delivery
                a_reschedule_moves_the_due_time_and_counts_the_attempt
                recording_a_success_twice_changes_nothing_the_second_time
                recording_a_reschedule_twice_changes_nothing_the_second_time
                an_outcome_of_a_delivery_that_is_gone_keeps_its_attempt_only
                an_outcome_of_a_delivery_that_nobody_holds_is_stale
                a_manual_success_closes_the_scheduled_delivery
                a_replayed_success_closes_the_scheduled_delivery
                a_manual_failure_leaves_the_scheduled_delivery_open
                a_replayed_failure_leaves_the_scheduled_delivery_open
                a_scheduled_success_leaves_a_manual_delivery_open
                a_manual_success_leaves_other_deliveries_by_hand_open
                a_manual_success_closes_a_delivery_that_is_under_way
                a_cancelled_attempt_keeps_its_reason
                an_attempt_keeps_its_trigger_and_number
                concurrent_outcomes_are_each_recorded_once
            }
            recover {
                a_recovery_opens_a_replay_for_each_message_that_failed_for_good
                a_recovery_reaches_from_since_to_before_until
                a_message_that_was_resent_with_success_is_not_recovered
                a_message_that_is_being_resent_is_not_recovered
                a_second_recovery_does_not_repeat_the_first
                what_a_disabled_endpoint_failed_to_get_is_recovered
                a_message_whose_payload_is_gone_is_not_recovered
                a_recovery_goes_on_after_reopening_and_opens_each_replay_once
            }
            replay {
                a_bulk_replay_opens_whatever_was_sent_and_is_not_on_its_way
                a_bulk_replay_opens_only_what_its_filter_wants
                a_replay_reaches_from_since_to_before_until
                what_an_endpoint_wants_and_never_got_is_replayed
                what_a_fan_out_is_about_to_open_is_not_missing
                what_a_fan_out_has_passed_over_is_missing
                what_has_no_payload_any_more_is_not_replayed
                replays_go_on_after_reopening_and_open_each_once
                what_goes_to_an_endpoint_that_is_not_live_has_failed
            }
            sources {
                a_source_is_read_back_as_it_was_made
                a_source_is_replaced_only_as_it_was_read
                a_taken_source_uid_is_refused
                a_deleted_source_leaves_a_row_that_says_so
                what_is_new_of_sources_is_read_behind_a_version
                there_are_no_more_sources_than_there_may_be
                what_was_deleted_long_ago_leaves_nothing
            }
            standings {
                a_message_stands_as_its_last_attempt_left_it
                an_endpoints_messages_are_listed_by_standing
                a_delivered_message_stays_so_when_a_resend_fails
                a_failed_message_is_delivered_when_a_resend_succeeds
                an_endpoints_messages_page_once_in_both_directions
                a_full_page_of_an_endpoints_messages_knows_whether_it_is_the_last
                an_endpoints_messages_are_listed_by_what_they_are
                an_endpoints_messages_bring_payloads_only_when_asked
                a_walk_of_an_endpoints_messages_stops_after_the_most_it_looks_at
                a_messages_endpoints_are_listed_by_ascending_key
            }
            statistics {
                statistics_equal_a_count_over_attempts
                open_deliveries_are_counted_as_pending_or_retrying
                statistics_count_what_work_ended
            }
            sweep {
                a_payload_goes_at_its_expiry_and_not_before
                open_deliveries_of_an_expired_payload_are_ended
                a_message_without_payload_is_not_sent_again
                attempts_and_messages_go_by_age
                an_event_id_is_free_when_its_message_is_gone
                a_sweep_removes_messages_in_slices
                nothing_open_points_at_what_a_sweep_removed
                a_sweep_races_with_what_is_sent
            }
            tally {
                tallies_equal_a_count_over_attempts
                tallies_of_all_applications_add_up
                tallies_go_with_the_age_of_what_they_count
                a_census_counts_what_is_live
            }
            pulse {
                what_is_committed_is_told_to_whom_it_concerns
                what_changes_nothing_is_told_to_nobody
            }
            vitals {
                the_backlog_is_what_is_open_and_the_earliest_of_it
                a_message_is_counted_when_it_is_durable_and_never_twice
            }
            security {
                what_is_kept_is_listed_in_both_directions
                what_is_more_of_the_same_is_counted_in_its_row
                security_events_are_listed_by_kind_severity_and_application
                security_events_are_listed_by_what_they_happened_to
                the_latest_sample_is_kept_and_read_where_it_is_asked_for
                security_events_go_when_they_have_reached_their_age
            }
            erasure {
                a_step_erases_payloads_and_answers_and_ends_what_is_open
                a_step_that_is_lost_erases_nothing
                what_is_answered_to_an_erased_message_later_is_not_kept
                erasing_goes_on_in_a_deleted_application
            }
            works {
                work_that_people_asked_for_is_listed_in_both_directions
                work_is_listed_by_kind_and_state
                a_page_of_work_with_much_to_do_ends_early
                work_of_an_application_that_is_not_there_is_missing
                work_done_outside_is_not_done_inside
                a_slice_tells_when_work_ends_that_people_are_shown
                taken_work_is_not_taken_again_until_its_hold_drops
                what_is_done_outside_takes_turns
                a_step_commits_with_its_messages_and_its_data
                a_step_is_written_once
                a_step_of_what_was_taken_before_reopening_is_lost_or_goes_on
                a_step_with_a_stale_message_writes_nothing
                what_was_to_be_done_is_forgotten_when_the_work_ends
            }
        }
    };
}
