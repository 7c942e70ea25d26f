//! The same under tokio: tasks that run until they are cancelled.

use std::time::Duration;

use rescind::CancellationTokenSource;
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let shutdown = CancellationTokenSource::new();
    let tasks: Vec<_> = (1..=3_u64)
        .map(|task| {
            let token = shutdown.token();
            tokio::spawn(async move {
                let mut jobs = 0;
                while token.run_until_cancelled(sleep(Duration::from_millis(5 * task))).await.is_some() {
                    jobs += 1;
                }
                println!("task {task} did {jobs} jobs");
            })
        })
        .collect();

    shutdown.cancel_after(Duration::from_millis(50));
    shutdown.token().cancelled().await;
    println!("shutting down");
    for task in tasks {
        task.await.expect("no task panics");
    }
}
