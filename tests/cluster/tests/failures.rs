//! Scenarios as tests: what each asserts is in `scenarios`. A fail-over from a primary that stands
//! still for long and a second restart of all nodes are left to the table: they take long, and show
//! little that the others do not.

use cluster::scenarios;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_each_node_is_killed() {
    println!("{}", scenarios::killed().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_that_stood_still_brings_late_changes_nothing() {
    println!("{}", scenarios::stopped().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_stored_twice_when_answers_to_commits_are_lost() {
    println!("{}", scenarios::answers_lost().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_take_over_from_a_node_that_is_cut_off() {
    println!("{}", scenarios::cut_off().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_database_is_killed() {
    println!("{}", scenarios::database_killed().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_patroni_promotes_the_standby() {
    println!("{}", scenarios::failed_over().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_that_only_a_primary_has_which_patroni_replaced() {
    println!("{}", scenarios::failed_over_and_gone_on().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_pooler_is_killed() {
    println!("{}", scenarios::pooler_killed().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_others_fill_the_pool() {
    println!("{}", scenarios::pool_filled().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_server_has_no_connections_left() {
    println!("{}", scenarios::connections_run_out().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_see_no_error_while_each_node_is_restarted() {
    println!("{}", scenarios::restarted().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_wrong_clocks_lose_nothing_and_can_be_set_right() {
    println!("{}", scenarios::clocks_wrong().await);
}
