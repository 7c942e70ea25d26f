//! What is done with sources.

use std::sync::Arc;

use rescind::CancellationTokenSource;
use rescind_spec::history::{Answer, SourceOp};

use super::{Runner, pick, read_panics};

impl Runner {
    pub(super) fn keep(&self, source: CancellationTokenSource) -> Answer {
        let token = source.token();
        let mut world = self.world();
        world.tokens.push(token);
        world.handles.push(Some(Arc::new(source)));
        Answer::Done
    }

    fn handle(&self, number: usize) -> Option<(usize, Arc<CancellationTokenSource>)> {
        let world = self.world();
        let index = pick(&world.handles, number)?;
        Some((index, world.handles[index].clone()?))
    }

    pub(super) fn with_source(&self, op: SourceOp, number: usize) -> Answer {
        let Some((index, source)) = self.handle(number) else {
            return Answer::Void;
        };
        match op {
            SourceOp::Clone => {
                let clone = CancellationTokenSource::clone(&source);
                self.world().handles.push(Some(Arc::new(clone)));
                Answer::Done
            }
            SourceOp::Drop => {
                let kept = self.world().handles[index].take();
                drop(kept);
                drop(source);
                Answer::Done
            }
            SourceOp::IsCancelled => Answer::Bool(source.is_cancelled()),
            SourceOp::Cancel => Answer::Bool(source.cancel()),
            SourceOp::TryCancel => {
                source.try_cancel().map_or_else(|panics| Answer::Failed(read_panics(panics)), Answer::Bool)
            }
            SourceOp::CancelFailFast => Answer::Bool(source.cancel_fail_fast()),
            _ => Answer::Void,
        }
    }
}
