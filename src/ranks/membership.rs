//! Which rank this process is, and where rank 0 listens, from the variables that launchers set.

use std::num::NonZeroU16;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, RankFault, Result};

/// A process among those that train together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Its number.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
    /// Its number among those on its machine, which chooses its adapter.
    pub local_rank: usize,
    /// How many there are on its machine; 1 if that is unknown.
    pub local_size: usize,
    /// Where rank 0 listens: a name or an address.
    pub address: String,
    /// At which port.
    pub port: u16,
}

/// The port that torchrun takes.
const USUAL_PORT: u16 = 29500;

/// The variables of one launcher.
struct Launcher {
    rank: &'static str,
    size: &'static str,
    local_rank: &'static str,
    local_size: &'static str,
    /// What names the job, in the same way on all its ranks.
    job: &'static [&'static str],
    /// The list of hosts, of which the first has rank 0.
    hosts: Option<&'static str>,
}

/// torchrun and what follows its conventions, OpenMPI's mpirun, SLURM's srun, MPICH's and Intel's mpiexec. A shell
/// within a job may have SLURM's job variables; only srun sets those of a step.
const LAUNCHERS: [Launcher; 4] = [
    Launcher {
        rank: "RANK",
        size: "WORLD_SIZE",
        local_rank: "LOCAL_RANK",
        local_size: "LOCAL_WORLD_SIZE",
        job: &[],
        hosts: None,
    },
    Launcher {
        rank: "OMPI_COMM_WORLD_RANK",
        size: "OMPI_COMM_WORLD_SIZE",
        local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
        local_size: "OMPI_COMM_WORLD_LOCAL_SIZE",
        job: &["PMIX_NAMESPACE"],
        hosts: None,
    },
    Launcher {
        rank: "SLURM_PROCID",
        size: "SLURM_STEP_NUM_TASKS",
        local_rank: "SLURM_LOCALID",
        local_size: "SLURM_STEP_TASKS_PER_NODE",
        job: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
        hosts: Some("SLURM_STEP_NODELIST"),
    },
    Launcher {
        rank: "PMI_RANK",
        size: "PMI_SIZE",
        local_rank: "MPI_LOCALRANKID",
        local_size: "MPI_LOCALNRANKS",
        job: &["PMI_PORT"],
        hosts: None,
    },
];

/// The variables by which MPI's launchers, OpenMPI's and MPICH's, say how many processes there are.
const MPI_SIZES: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

impl Membership {
    /// What a launcher's variables say, read by `get`; `None` if there is no launcher, or it started one process.
    ///
    /// `MASTER_ADDR` and `MASTER_PORT` go before what a launcher's own variables say. Without them, rank 0 is on the
    /// first of the hosts, or here if all ranks are on one machine; the port follows from the job's name.
    ///
    /// # Errors
    /// A variable is not a number, or nothing says where rank 0 is: [`Error::Rank`].
    pub fn from_environment(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let Some(launcher) = LAUNCHERS.iter().find(|l| get(l.size).is_some()) else {
            return match get("RANK") {
                None => Ok(None),
                Some(rank) => Err(fault(
                    "WORLD_SIZE",
                    format!(
                        "is missing beside RANK = {rank}: set it to the number of ranks, or unset RANK to train alone"
                    ),
                )),
            };
        };
        let number = |variable| -> Result<Option<usize>> {
            let Some(value) = get(variable) else {
                return Ok(None);
            };
            // SLURM writes "4" or "4(x2)": tasks on each node.
            let digits = value.split_once('(').map_or(value.as_str(), |(n, _)| n);
            match digits.split(',').next().unwrap_or(digits).trim().parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(fault(
                    variable,
                    format!("is {value:?}: it must be a number"),
                )),
            }
        };
        let size = number(launcher.size)?.unwrap_or(1);
        if size == 0 {
            return Err(fault(
                launcher.size,
                "is 0: it must be at least 1".to_owned(),
            ));
        }
        if size == 1 {
            return Ok(None);
        }
        let Some(rank) = number(launcher.rank)? else {
            let why = format!("is missing beside {} = {size}", launcher.size);
            return Err(fault(launcher.rank, why));
        };
        if rank >= size {
            let why = format!("is {rank}: it must be below {} = {size}", launcher.size);
            return Err(fault(launcher.rank, why));
        }
        let local_size = number(launcher.local_size)?.unwrap_or(1).max(1);
        let hosts = launcher.hosts.and_then(&get);
        let address = match (get("MASTER_ADDR"), hosts) {
            (Some(address), _) => address,
            (None, _) if local_size >= size => "127.0.0.1".to_owned(),
            (None, Some(hosts)) => first_host(&hosts),
            (None, None) => {
                return Err(fault(
                    "MASTER_ADDR",
                    "is missing: set it, on all ranks, to the name or address of the machine of rank 0".to_owned(),
                ));
            }
        };
        let port = match get("MASTER_PORT") {
            None => job_port(launcher.job.iter().filter_map(|name| get(name))),
            Some(port) => port
                .parse::<NonZeroU16>()
                .map(NonZeroU16::get)
                .map_err(|_| {
                    fault(
                        "MASTER_PORT",
                        format!("is {port:?}: it must be a port's number"),
                    )
                })?,
        };
        Ok(Some(Membership {
            rank,
            size,
            local_rank: number(launcher.local_rank)?.unwrap_or(0),
            local_size,
            address,
            port,
        }))
    }

    /// Whether an MPI launcher started this process as one of several, and nothing says that it shall follow torchrun's
    /// conventions.
    pub fn is_by_mpi(get: &dyn Fn(&str) -> Option<String>) -> bool {
        let several = |name: &str| get(name).is_some_and(|n| n.parse().is_ok_and(|n: u64| n > 1));
        get("WORLD_SIZE").is_none() && MPI_SIZES.iter().any(|name| several(name))
    }

    /// Where rank 0 listens, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }
}

fn fault(variable: &'static str, why: String) -> Error {
    Error::Rank(RankFault::Environment { variable, why })
}

/// A port that follows from what names a job, out of the reach of the ports that systems hand out by themselves.
fn job_port(job: impl Iterator<Item = String>) -> u16 {
    let job: Vec<String> = job.collect();
    match job.is_empty() {
        true => USUAL_PORT,
        false => 20000 + (xxh3_64(job.join("/").as_bytes()) % 10000) as u16,
    }
}

/// The first host of a list in SLURM's form: `node[007-009,12],other`.
fn first_host(hosts: &str) -> String {
    let Some((before, rest)) = hosts.split_once('[').filter(|(b, _)| !b.contains(',')) else {
        return hosts.split(',').next().unwrap_or(hosts).to_owned();
    };
    let first = rest.split(['-', ',', ']']).next().unwrap_or("");
    let after = rest.split_once(']').map_or("", |(_, after)| after);
    let after = after.split([',', '[']).next().unwrap_or("");
    format!("{before}{first}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Result<Option<Membership>> {
        let get = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Membership::from_environment(&get)
    }

    #[test]
    fn each_launcher_is_understood() {
        let rank = |variables: &[(&str, &str)]| {
            let m = found(variables).unwrap().unwrap();
            ([m.rank, m.size, m.local_rank, m.local_size], m.place())
        };
        let torchrun = [
            ("RANK", "5"),
            ("WORLD_SIZE", "8"),
            ("LOCAL_RANK", "1"),
            ("LOCAL_WORLD_SIZE", "4"),
            ("MASTER_ADDR", "head"),
            ("MASTER_PORT", "1234"),
        ];
        assert_eq!(rank(&torchrun), ([5, 8, 1, 4], "head:1234".to_owned()));
        let mpirun = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        assert_eq!(rank(&mpirun), ([1, 2, 1, 2], "127.0.0.1:29500".to_owned()));
        let srun = [
            ("SLURM_PROCID", "3"),
            ("SLURM_STEP_NUM_TASKS", "4"),
            ("SLURM_LOCALID", "1"),
            ("SLURM_STEP_TASKS_PER_NODE", "2(x2)"),
            ("SLURM_STEP_NODELIST", "gpu[07-08]"),
            ("SLURM_JOB_ID", "77"),
        ];
        let (numbers, place) = rank(&srun);
        assert_eq!(numbers, [3, 4, 1, 2]);
        let port = place
            .strip_prefix("gpu07:")
            .unwrap()
            .parse::<u16>()
            .unwrap();
        assert!((20000..30000).contains(&port));
        assert_eq!(
            rank(&[("PMI_RANK", "0"), ("PMI_SIZE", "2"), ("MASTER_ADDR", "a")]).0,
            [0, 2, 0, 1]
        );
    }

    #[test]
    fn one_process_is_no_member() {
        assert_eq!(found(&[]).unwrap(), None);
        assert_eq!(found(&[("WORLD_SIZE", "1"), ("RANK", "0")]).unwrap(), None);
        // A shell within a job, but outside a step.
        assert_eq!(
            found(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")]).unwrap(),
            None
        );
    }

    #[test]
    fn who_is_started_by_mpi() {
        let by_mpi = |variables: &'static [(&str, &str)]| {
            Membership::is_by_mpi(&|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(by_mpi(&[("OMPI_COMM_WORLD_SIZE", "2")]));
        assert!(by_mpi(&[("PMI_SIZE", "4")]));
        assert!(!by_mpi(&[("OMPI_COMM_WORLD_SIZE", "1")]));
        assert!(!by_mpi(&[
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("WORLD_SIZE", "2")
        ]));
        assert!(!by_mpi(&[("SLURM_STEP_NUM_TASKS", "2")]));
    }

    #[test]
    fn variables_that_cannot_be_used_are_named() {
        for (variables, text) in [
            (vec![("WORLD_SIZE", "two")], "WORLD_SIZE is \"two\""),
            (vec![("WORLD_SIZE", "0")], "WORLD_SIZE is 0"),
            (vec![("WORLD_SIZE", "2")], "RANK is missing"),
            (vec![("RANK", "0")], "WORLD_SIZE is missing beside RANK = 0"),
            (vec![("WORLD_SIZE", "2"), ("RANK", "2")], "RANK is 2"),
            (
                vec![("WORLD_SIZE", "2"), ("RANK", "1")],
                "MASTER_ADDR is missing",
            ),
            (
                vec![
                    ("WORLD_SIZE", "2"),
                    ("RANK", "1"),
                    ("MASTER_ADDR", "a"),
                    ("MASTER_PORT", "x"),
                ],
                "MASTER_PORT is \"x\"",
            ),
        ] {
            let error = found(&variables).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn the_first_host_of_a_list() {
        for (list, first) in [
            ("node1", "node1"),
            ("a,b[1-2]", "a"),
            ("gpu[007-012,20]", "gpu007"),
            ("r[1,3]n-ib,x", "r1n-ib"),
        ] {
            assert_eq!(first_host(list), first, "{list}");
        }
    }
}
