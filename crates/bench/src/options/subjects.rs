//! The server that options are measured on, with applications of each option's own: one server for
//! all rounds, so that what differs between two options is not what differs between two processes.

use crate::BenchError;
use crate::home::Home;
use crate::options::settings::{self, Needs};
use crate::options::{Certificates, EndpointOption};
use crate::plan::{Case, Plan, Server};
use crate::receiver::OPTION;
use crate::target::Target;
use crate::tenants::Tenants;
use serde_json::json;

/// The server with its applications.
pub(crate) struct Subjects {
    /// The server.
    pub(crate) target: Target,
    home: Home,
    /// Each option's paths of applications.
    applications: Vec<(EndpointOption, Vec<String>)>,
}

/// Where deliveries go, by how.
pub(crate) struct Receivers<'a> {
    /// Over plain HTTP.
    pub(crate) plain: &'a str,
    /// Over TLS.
    pub(crate) secure: &'a str,
    /// Its certificates.
    pub(crate) certificates: &'a Certificates,
}

impl Subjects {
    /// Starts it, for cases with options like this one.
    pub(crate) async fn begin(
        (plan, case): (&Plan, &Case),
        receivers: &Receivers<'_>,
    ) -> Result<Self, BenchError> {
        let Server::Own { below } = &plan.server else {
            return Err(BenchError::OptionsElsewhere);
        };
        let home = Home::make(plan, below).await?;
        let mut start = home.start(plan, case);
        let authority = receivers.certificates.authority_file();
        let authority = authority.to_string_lossy().into_owned();
        start
            .arguments
            .extend(["--trusted-roots".to_owned(), authority]);
        let mut subjects = Self {
            target: Target::own(plan, start).await?,
            home,
            applications: Vec::new(),
        };
        let tenants = subjects.target.tenants();
        for &option in &plan.options {
            let applications = tenants.applications(plan.size.applications).await?;
            let maker = Maker {
                tenants: &tenants,
                receivers,
                option,
            };
            for application in &applications {
                maker.endpoints(application, plan.size.endpoints).await?;
            }
            subjects.applications.push((option, applications));
        }
        Ok(subjects)
    }

    /// The applications of an option.
    pub(crate) fn applications(&self, option: EndpointOption) -> &[String] {
        let found = self.applications.iter().find(|(other, _)| *other == option);
        found.map_or(&[], |(_, applications)| applications)
    }

    /// Takes all of it away.
    pub(crate) async fn end(self) {
        self.target.stop().await;
        self.home.end().await;
    }
}

/// Makes endpoints with an option.
struct Maker<'a> {
    tenants: &'a Tenants,
    receivers: &'a Receivers<'a>,
    option: EndpointOption,
}

impl Maker<'_> {
    async fn endpoints(&self, application: &str, count: u32) -> Result<(), BenchError> {
        let base = match self.option.is_secure() {
            true => self.receivers.secure,
            false => self.receivers.plain,
        };
        let base = format!("{base}{OPTION}{}/", self.option);
        let path = format!("{application}/endpoint");
        let call = move |number| (path.clone(), json!({"url": format!("{base}{number}")}));
        let endpoints = self.tenants.make(count.into(), call).await?;
        let needs = Needs {
            certificates: self.receivers.certificates,
            receiver: self.receivers.plain,
        };
        let Some((part, body)) = settings::of(self.option, &needs)? else {
            return Ok(());
        };
        let mut control = self.tenants.control();
        for endpoint in endpoints {
            let path = format!("{endpoint}/{part}");
            match self.option {
                EndpointOption::Ed25519 => drop(control.post(&path, &body).await?),
                _ => control.put(&path, &body).await?,
            }
        }
        Ok(())
    }
}
