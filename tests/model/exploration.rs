//! Every order of the calls of a story: what crosses, what is killed and tried again, whose answer is lost, what
//! is delivered twice.

use stateright::{Checker, Model, Property};

use crate::protocol::{Deed, FRESH, Local, Process, Protocol};
use crate::symmetry::normalised;
use crate::world::{PLACES, Settings, World};

/// How much may go wrong in one story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Faults {
    /// Processes that are killed; each event is then tried again.
    pub kills: u8,
    /// Answers that are lost; the SDK then repeats the call.
    pub lost_answers: u8,
    /// Events that are delivered twice.
    pub duplicates: u8,
}

/// One key, the events about it, and what may go wrong.
#[derive(Clone, Debug)]
pub struct Exploration {
    pub protocol: Protocol,
    pub faults: Faults,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Deeds that are done.
    pub done: usize,
    pub world: World,
    pub left: Faults,
    /// Whether no process was under way when the settings changed.
    pub is_quiet_deploy: bool,
    /// Of each event, the process of its delivery and that of a second delivery.
    pub processes: Vec<[Process; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The next deed of the story.
    Next,
    /// An event is delivered, or delivered again.
    Deliver { event: usize, again: bool },
    /// A process makes its next call; of calls that are made at once, that about a place.
    Call { event: usize, again: bool, place: Option<usize> },
    /// Its call is made, but the answer is lost.
    LoseAnswer { event: usize, again: bool, place: Option<usize> },
    /// A process is killed before its next call, and its event tried again.
    Kill { event: usize, again: bool },
}

impl Exploration {
    /// States that were explored, and the way to the first that is wrong.
    pub fn run(self) -> (usize, Option<String>) {
        let checker = self.checker().threads(2).spawn_bfs().join();
        let states = checker.unique_state_count();
        let way = checker.discoveries().into_values().next().map(|path| {
            let last = path.last_state();
            let why = checker.model().verdict(last).err().unwrap_or("nothing is wrong");
            let world = last.world;
            let actions: Vec<String> =
                path.into_actions().iter().map(|action| format!("{action:?}")).collect();
            format!("{why}: {world:?}\n  {}", actions.join("\n  "))
        });
        (states, way)
    }

    fn happen(&self, deed: Deed, state: &mut State) {
        match deed {
            Deed::Upload(original) | Deed::Restore(original) => {
                state.world.original = Some(original);
            }
            Deed::Remove => state.world.original = None,
            Deed::Deploy(settings) => {
                state.world.settings = settings;
                let mut processes = state.processes.iter().flatten();
                let is_quiet = !processes.any(|process| matches!(process, Process::At(_)));
                state.is_quiet_deploy &= is_quiet;
            }
            Deed::Backfill => {}
        }
        state.done += 1;
    }

    /// A call whose answer is lost: the process makes it again.
    fn lose_answer(
        &self,
        event: usize,
        local: Local,
        place: Option<usize>,
        world: World,
    ) -> Option<(World, Process)> {
        let (after, _) = self.protocol.call(event, local, place, world);
        if after == world {
            return None;
        }
        // An item that was written has a stamp that nothing else has.
        let stamp = after.item.map(|item| item.stamp).filter(|stamp| *stamp == FRESH);
        let unanswered = stamp.or(local.unanswered);
        Some((after, Process::At(Local { unanswered, ..local })))
    }
}

/// What a process can do next.
fn actions_at(event: usize, again: bool, local: &Local, left: Faults, actions: &mut Vec<Action>) {
    let places: Vec<Option<usize>> = if local.waiting.is_empty() {
        vec![None]
    } else {
        local.waiting.iter().map(Some).collect()
    };
    for place in places {
        actions.push(Action::Call { event, again, place });
        if left.lost_answers > 0 {
            actions.push(Action::LoseAnswer { event, again, place });
        }
    }
    if left.kills > 0 {
        actions.push(Action::Kill { event, again });
    }
}

impl Model for Exploration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let world =
            World { settings: Settings::First, original: None, files: [None; PLACES], item: None };
        let processes = vec![[Process::NotStarted; 2]; self.protocol.events().len()];
        vec![State { done: 0, world, left: self.faults, is_quiet_deploy: true, processes }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.done < self.protocol.story.len() {
            actions.push(Action::Next);
        }
        for (event, processes) in state.processes.iter().enumerate() {
            if self.protocol.deeds_until(event) > state.done {
                continue;
            }
            for (process, again) in processes.iter().zip([false, true]) {
                match process {
                    Process::NotStarted if !again || state.left.duplicates > 0 => {
                        actions.push(Action::Deliver { event, again });
                    }
                    Process::NotStarted | Process::Done => {}
                    Process::At(local) => actions_at(event, again, local, state.left, actions),
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Next => self.happen(self.protocol.story[state.done], &mut state),
            Action::Deliver { event, again } => {
                state.left.duplicates -= u8::from(again);
                let process = self.protocol.start(event, state.world.settings);
                state.processes[event][usize::from(again)] = process;
            }
            Action::Call { event, again, place } => {
                let process = &mut state.processes[event][usize::from(again)];
                let Process::At(local) = *process else { return None };
                (state.world, *process) = self.protocol.call(event, local, place, state.world);
            }
            Action::LoseAnswer { event, again, place } => {
                let process = &mut state.processes[event][usize::from(again)];
                let Process::At(local) = *process else { return None };
                (state.world, *process) = self.lose_answer(event, local, place, state.world)?;
                state.left.lost_answers -= 1;
            }
            Action::Kill { event, again } => {
                state.left.kills -= 1;
                let process = self.protocol.start(event, state.world.settings);
                state.processes[event][usize::from(again)] = process;
            }
        }
        Some(normalised(state, &self.protocol))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "in the end renditions and item agree",
            |exploration: &Exploration, state: &State| {
                !exploration.is_over(state) || exploration.verdict(state).is_ok()
            },
        )]
    }
}
