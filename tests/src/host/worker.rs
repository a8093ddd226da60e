//! One thread of the proxy: requests in, callouts out.

use super::{Answer, Callout, Cost, Envoy, Outcome, Request, Stream, vm::Vm};

/// The main thread's VM.
pub struct MainVm<'e> {
    pub(super) envoy: &'e mut Envoy,
    pub(super) slot: usize,
}

impl MainVm<'_> {
    /// Callouts in flight from this thread, oldest first.
    pub fn callouts(&self) -> Vec<Callout> {
        let vm = self.envoy.slots[self.slot].vm.as_ref();
        vm.map(|vm| vm.state().callouts.values().cloned().collect()).unwrap_or_default()
    }

    /// Lets a callout be answered. One that is no longer in flight is answered to nobody, as in Envoy.
    pub fn answer(&mut self, callout: &Callout, answer: Answer) {
        if let Some(vm) = &mut self.envoy.slots[self.slot].vm {
            vm.complete(callout.token, answer);
        }
    }

    /// Lets a callout time out now.
    pub fn time_out(&mut self, callout: &Callout) {
        self.answer(callout, Answer::timed_out());
    }

    /// Resets a callout's stream.
    pub fn reset(&mut self, callout: &Callout) {
        self.answer(callout, Answer::reset());
    }

    /// Whether the VM is there and has not trapped.
    pub fn is_alive(&self) -> bool {
        self.envoy.slots[self.slot].vm.as_ref().is_some_and(|vm| vm.death.is_none())
    }

    /// Why the VM trapped, if it did.
    pub fn death(&self) -> Option<String> {
        self.envoy.slots[self.slot].vm.as_ref().and_then(|vm| vm.death.clone())
    }

    /// The linear memory of the VM, in bytes.
    pub fn memory_bytes(&mut self) -> usize {
        self.envoy.slots[self.slot].vm.as_mut().map(Vm::memory_bytes).unwrap_or_default()
    }

    /// The fuel the most expensive call into this VM has burnt, about one unit an instruction.
    pub fn hottest_call(&self) -> u64 {
        self.envoy.slots[self.slot].vm.as_ref().map(|vm| vm.hottest).unwrap_or_default()
    }

    /// What the VM has cost since it was made.
    pub fn cost(&self) -> Cost {
        self.envoy.slots[self.slot].vm.as_ref().map(Vm::cost).unwrap_or_default()
    }
}

/// A worker thread's VM.
pub struct Worker<'e>(pub(super) MainVm<'e>);

impl<'e> std::ops::Deref for Worker<'e> {
    type Target = MainVm<'e>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::ops::DerefMut for Worker<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Worker<'_> {
    /// Sends a request's headers through the filter, and its body if they went on.
    pub fn request(&mut self, request: impl Into<Request>) -> Stream {
        let slot = self.slot;
        self.envoy.request(slot, request.into())
    }

    /// A whole exchange: if the request goes on, the upstream answers 200 and the stream ends.
    pub fn send(&mut self, request: impl Into<Request>) -> Outcome {
        let stream = self.request(request);
        let outcome = self.envoy.outcome(stream);
        if matches!(outcome, Outcome::Continued { .. }) {
            self.respond(stream, &[(":status", "200")]);
            self.finish(stream);
        }
        outcome
    }

    /// The upstream answers with these headers.
    pub fn respond(&mut self, stream: Stream, headers: &[(&str, &str)]) {
        let headers = headers.iter().copied().collect();
        if let Some((vm, context)) = self.envoy.holder(stream) {
            vm.respond(context, headers);
        }
    }

    /// The response is complete: log, done, delete.
    pub fn finish(&mut self, stream: Stream) {
        if let Some((vm, context)) = self.envoy.holder(stream) {
            vm.end(context);
        }
    }

    /// Calls an export about a context of one's choice, as a host does that has lost its way: what it returns, or -1.
    pub fn stray_call(&mut self, context: u32, export: &'static str, arguments: &[u32]) -> i32 {
        let slot = self.slot;
        let vm = self.envoy.slots[slot].vm.as_mut();
        vm.map_or(-1, |vm| vm.stray_call(context, export, arguments))
    }

    /// The number that the host gave a stream that is not over.
    pub fn context(&mut self, stream: Stream) -> Option<u32> {
        self.envoy.holder(stream).map(|(_, context)| context)
    }

    /// The number that the host gave the root context of the configuration in force.
    pub fn root(&mut self) -> Option<u32> {
        self.envoy.slots[self.slot].vm.as_ref()?.state().newest_root()
    }

    /// The client goes away.
    pub fn abort(&mut self, stream: Stream) {
        if let Some((vm, context)) = self.envoy.holder(stream) {
            vm.abort(context);
        }
    }
}
