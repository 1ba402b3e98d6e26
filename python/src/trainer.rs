//! A training.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;
use rootlet::checkpoint::{self, NetworkState, Snapshot};
use rootlet::command::report::OwnRun;
use rootlet::data::{DataPart, TargetKind};
use rootlet::loss::AbsoluteError;
use rootlet::train::config::TaskName;
use rootlet::train::event::Observer;
use rootlet::train::{Event, Hooks, SaveEvery, Setup};

use crate::bridge::{Bridge, locked};
use crate::dataset::Given;
use crate::errors::raised;
use crate::growth::{PythonGrowth, PythonMethod, distribution};
use crate::keep::{Keeper, begin};
use crate::predictor::Predictor;
use crate::weights::Arrays;
use crate::{config, layers, weights};

/// A training: a network, its data and how far it is.
#[pyclass(frozen, module = "rootlet._native")]
pub struct Trainer {
    inner: Mutex<rootlet::train::Trainer>,
    best: Mutex<Option<Snapshot>>,
    bridge: Arc<Bridge>,
    stop: Arc<AtomicBool>,
    names: Vec<String>,
    /// The layers of a program's own model.
    layers: Option<String>,
    run: Option<PathBuf>,
}

impl Trainer {
    /// The training, unless it is running.
    fn idle(&self) -> PyResult<MutexGuard<'_, rootlet::train::Trainer>> {
        match self.inner.try_lock() {
            Ok(inner) => Ok(inner),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err(
                "the trainer is training; a callback can only stop() it, and ask for the rest after fit()",
            )),
        }
    }
}

/// An event as JSON.
fn text(event: &Event) -> String {
    // Events hold numbers and texts, which JSON can write.
    serde_json::to_string(event).unwrap_or_default()
}

#[pymethods]
impl Trainer {
    #[new]
    #[pyo3(signature = (given, options, layers = None, growth = None, candidates = "uniform", run = None))]
    fn new(
        py: Python<'_>,
        given: Given<'_>,
        options: &str,
        layers: Option<String>,
        growth: Option<(Py<PyAny>, String)>,
        candidates: &str,
        run: Option<PathBuf>,
    ) -> PyResult<Self> {
        let data = given.dataset(py)?;
        let config = config::config(options, data.preprocessing.is_some())?;
        let bridge = Arc::new(Bridge::default());
        let mut setup = match &layers {
            None => Setup::new(&config, &data).map_err(raised)?,
            Some(list) => {
                let model = layers::model(list, data.shape, data.outputs())?;
                let mut config = config.clone();
                config.task.name = match data.train.targets() {
                    TargetKind::Labels => TaskName::Classification,
                    TargetKind::Flags(_) => TaskName::MultiLabel,
                    TargetKind::Values(_) => TaskName::Regression,
                };
                let mut setup = Setup::of(&config, model).map_err(raised)?;
                if !data.units().is_empty() {
                    setup.metric = Some(Arc::new(AbsoluteError::in_units(data.units())));
                }
                setup
            }
        };
        if let Some((function, name)) = growth {
            setup.method = Box::new(PythonMethod(Arc::new(PythonGrowth {
                function,
                name,
                distribution: distribution(candidates)?,
                bridge: bridge.clone(),
            })));
        }
        let names = weights::names(&setup.model);
        let made = py.detach(|| {
            let device = config::device(&config.machine.adapter, config.machine.threads)?;
            rootlet::train::Trainer::with_setup(device, config, data, setup).map_err(raised)
        });
        Ok(Trainer {
            inner: Mutex::new(made?),
            best: Mutex::new(None),
            bridge,
            stop: Arc::new(AtomicBool::new(false)),
            names,
            layers,
            run,
        })
    }

    /// Trains to the end, or until it is stopped. Calls `on_event` with each event as JSON, and saves into the run
    /// folder if there is one. Returns the last event.
    ///
    /// # Errors
    /// The training's, or a callback's; what was trained is saved first.
    fn fit(
        &self,
        py: Python<'_>,
        on_event: Option<Py<PyAny>>,
        save_every: Option<&str>,
    ) -> PyResult<String> {
        let mut trainer = self.idle()?;
        let save_every = match save_every {
            None => SaveEvery::default(),
            Some(text) => text.parse().map_err(PyValueError::new_err)?,
        };
        let text_of_config = trainer.config().to_toml().map_err(raised)?;
        let goes_on = trainer.progress().step > 0;
        if let Some(run) = &self.run {
            begin(run, &text_of_config, self.layers.as_deref(), goes_on).map_err(raised)?;
        }
        self.stop.store(false, Ordering::Relaxed);
        let (run, stop, bridge) = (self.run.as_deref(), &self.stop, &self.bridge);
        let mut best = locked(&self.best);
        let best = &mut *best;
        let trainer = &mut *trainer;
        bridge.run(py, stop, move || {
            let tell = |event: &Event| {
                let Some(function) = &on_event else {
                    return Ok(());
                };
                let function = Python::attach(|py| function.clone_ref(py));
                let event = text(event);
                bridge.call(move |py| function.call1(py, (event,)).map(drop))
            };
            let mut notes = Vec::new();
            let mut note = |text: &str| notes.push(text.to_owned());
            let mut recorded = match run {
                Some(run) => Some(OwnRun::begin(run, trainer, &mut note)?),
                None => None,
            };
            for text in notes {
                tell(&Event::Note(text))?;
            }
            let config = text_of_config.as_str();
            let mut save = |snapshot: &Snapshot| match run {
                Some(run) => OwnRun::save(run, snapshot, config),
                None => Ok(PathBuf::new()),
            };
            // What a callback raises comes after the files.
            let mut observer = |event: &Event| {
                let written = recorded.as_mut().map_or(Ok(()), |own| own.event(event));
                tell(event).and(written)
            };
            let finished = trainer.run(&mut Hooks {
                observer: &mut observer,
                save: match run {
                    Some(_) => Some(&mut save),
                    None => None,
                },
                save_every,
                best: Some(&mut Keeper { run, config, best }),
                run,
                stop,
            });
            if let (Some(recorded), Err(error)) = (&recorded, &finished) {
                recorded.failed(error);
            }
            Ok(text(&Event::Finished(finished?)))
        })
    }

    /// Has a running training stop after its step.
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Continues from the newest checkpoint of a run, or from a checkpoint. Returns what has changed in the data.
    ///
    /// # Errors
    /// It is of another training.
    fn restore(&self, py: Python<'_>, path: PathBuf) -> PyResult<Vec<String>> {
        let mut trainer = self.idle()?;
        let trainer = &mut *trainer;
        let best = &self.best;
        py.detach(move || {
            let checkpoint = checkpoint::load(&path)?;
            let chosen = checkpoint.snapshot.progress.best.clone();
            let changes = trainer.restore(checkpoint.snapshot)?;
            if chosen.is_some() {
                *locked(best) = kept(&path);
            }
            Ok(changes)
        })
        .map_err(raised)
    }

    /// Begins with these layers instead of drawn ones.
    ///
    /// # Errors
    /// They are of another model, have another number of connections, or the training has begun.
    fn begin_with(&self, py: Python<'_>, arrays: Vec<Arrays<'_>>) -> PyResult<()> {
        let mut trainer = self.idle()?;
        let layers: Vec<_> = arrays.iter().map(Arrays::layer).collect::<PyResult<_>>()?;
        let trainer = &mut *trainer;
        py.detach(move || {
            let own = trainer.snapshot()?.state;
            trainer.begin_with(&NetworkState { layers, ..own })
        })
        .map_err(raised)
    }

    /// The results on a part, validation or test, as JSON.
    ///
    /// # Errors
    /// There is no such part.
    fn evaluate(&self, py: Python<'_>, part: Option<&str>) -> PyResult<String> {
        let trainer = self.idle()?;
        let part = match part {
            None => trainer.data().final_part(),
            Some(name) => DataPart::named(name).ok_or_else(|| {
                PyValueError::new_err(format!("`part` must be validation or test, not {name}"))
            })?,
        };
        if trainer.data().part(part).is_none() {
            return Err(PyValueError::new_err(format!(
                "there are no {part} samples"
            )));
        }
        let trainer = &*trainer;
        let told = py
            .detach(move || trainer.evaluate_by(part))
            .map_err(raised)?;
        serde_json::to_string(&told).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The sparse layers as they are now.
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let trainer = self.idle()?;
        let trainer = &*trainer;
        let snapshot = py.detach(move || trainer.snapshot()).map_err(raised)?;
        weights::layers(py, &self.names, snapshot.state.layers)
    }

    /// The network with its best weights if a validation part chose some, otherwise with those of now.
    fn predictor(&self, py: Python<'_>, best: bool) -> PyResult<Predictor> {
        let trainer = self.idle()?;
        let config = trainer.config().clone();
        let chosen = locked(&self.best).clone().filter(|_| best);
        let trainer = &*trainer;
        let checkpoint = py.detach(move || {
            let snapshot = match chosen {
                Some(snapshot) => snapshot,
                None => trainer.snapshot()?,
            };
            let [model, manifest] = checkpoint::to_bytes(&snapshot, &trainer.config().to_toml()?)?;
            checkpoint::from_bytes([&model, &manifest])
        });
        let (adapter, threads) = (&config.machine.adapter, config.machine.threads);
        let layers = self.layers.clone();
        Predictor::of(py, checkpoint.map_err(raised)?, layers, adapter, threads)
    }

    /// Saves a checkpoint into a run folder and returns its path.
    fn save(&self, py: Python<'_>, run: PathBuf) -> PyResult<PathBuf> {
        let trainer = self.idle()?;
        let trainer = &*trainer;
        let layers = self.layers.as_deref();
        py.detach(move || {
            let config = trainer.config().to_toml()?;
            begin(&run, &config, layers, true)?;
            checkpoint::save(&run, &trainer.snapshot()?, &config)
        })
        .map_err(raised)
    }

    /// Whether no step is left to train.
    #[getter]
    fn is_done(&self) -> PyResult<bool> {
        Ok(self.idle()?.is_done())
    }

    /// Optimiser steps done.
    #[getter]
    fn step(&self) -> PyResult<u64> {
        Ok(self.idle()?.progress().step)
    }

    /// Whole epochs done.
    #[getter]
    fn epoch(&self) -> PyResult<u32> {
        Ok(self.idle()?.progress().epoch)
    }

    /// The configuration as the text of a config.toml.
    #[getter]
    fn config(&self) -> PyResult<String> {
        self.idle()?.config().to_toml().map_err(raised)
    }

    /// The adapter in words.
    #[getter]
    fn adapter(&self) -> PyResult<String> {
        Ok(self.idle()?.device().description().to_owned())
    }
}

/// The best weights of a run, if they are there.
fn kept(run: &Path) -> Option<Snapshot> {
    let which = Some(rootlet::checkpoint::Which::Best);
    let loaded = checkpoint::load_which(run, which).ok()?;
    Some(loaded.0.snapshot)
}
