//! `postrider serve`: check the configuration, build the node, run it until it is told to stop,
//! drain.

use crate::cli::ServeArgs;
use crate::failure::Failure;
use crate::logging;
use crate::node::Node;

/// Runs the server.
pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = args.config.read()?;
    logging::start(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(Failure::could_not)?;
    let outcome = runtime.block_on(async { Node::open(config).await?.run().await });
    // What still blocks a thread by now must not keep the process from ending.
    runtime.shutdown_background();
    outcome
}
