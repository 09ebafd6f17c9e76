//! Calls about accounts.

use maillon_protocol::admin::{AccountCall, AccountCode, AccountLine, Answer, ErrorCode};

use super::errors::Refusal;
use crate::{
    access::{AccessError, Account, AccountId, Code, Login, NewAccount},
    audit::By,
    daemon::Node,
};

impl Node {
    pub(super) async fn account_call(
        &self,
        by: By,
        call: AccountCall,
        now_ms: u64,
    ) -> Result<Answer, Refusal> {
        let access = &self.access;
        Ok(match call {
            AccountCall::Add {
                login,
                name,
                professionals,
                administrator,
            } => {
                let situations = professionals
                    .iter()
                    .map(|text| self.care.actor(text).map(|actor| actor.id))
                    .collect::<Result<_, _>>()?;
                let new = NewAccount {
                    login: Login::parse(&login)?,
                    name,
                    situations,
                    administrator,
                };
                let (account, code) = access.add(by, new).await?;
                self.code_answer(account.id, &code)?
            }
            AccountCall::List => {
                let all = access.accounts();
                let lines = all.iter().map(|account| self.account_line(account, now_ms));
                Answer::Accounts(lines.collect())
            }
            AccountCall::BeginAgain { login } => {
                let id = self.account_named(&login)?;
                let code = access.begin_again(by, id).await?;
                self.code_answer(id, &code)?
            }
            AccountCall::Close { login } => {
                access.close(by, self.account_named(&login)?, true).await?;
                Answer::Ok
            }
            AccountCall::Open { login } => {
                access.close(by, self.account_named(&login)?, false).await?;
                Answer::Ok
            }
        })
    }

    fn account_named(&self, login: &str) -> Result<AccountId, AccessError> {
        let login = Login::parse(login)?;
        let found = self.access.account_of(&login);
        Ok(found.ok_or(AccessError::NoAccount)?.id)
    }

    fn code_answer(&self, id: AccountId, code: &Code) -> Result<Answer, AccessError> {
        let account = self.access.account(&id).ok_or(AccessError::NoAccount)?;
        Ok(Answer::AccountCode(AccountCode {
            login: account.login.as_str().to_owned(),
            code: code.written().to_string(),
            until_ms: account.first_until_ms().unwrap_or(0),
            pages: self.pages(),
        }))
    }

    fn account_line(&self, account: &Account, now_ms: u64) -> AccountLine {
        AccountLine {
            login: account.login.as_str().to_owned(),
            name: account.name.clone(),
            professionals: account.situations.iter().map(ToString::to_string).collect(),
            administrator: account.administrator,
            password: account.has_password(),
            first_until_ms: account.first_until_ms(),
            recovery_left: account.recovery_left() as u64,
            seen_ms: account.seen_ms,
            closed_ms: account.closed_ms,
            sessions: self.access.sessions(&account.id, now_ms).len() as u64,
        }
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        let (code, action) = match &error {
            AccessError::NoAccount | AccessError::Ended => {
                (ErrorCode::NotFound, "maillonctl account list")
            }
            AccessError::Login | AccessError::Name | AccessError::Password(_) => {
                (ErrorCode::BadRequest, "maillonctl account add --help")
            }
            AccessError::Nothing => (
                ErrorCode::BadRequest,
                "give --professional, from `maillonctl professional list`, or --administrator",
            ),
            AccessError::Taken | AccessError::Named => {
                (ErrorCode::Conflict, "maillonctl account list")
            }
            AccessError::LastAdministrator => (
                ErrorCode::Conflict,
                "maillonctl account add LOGIN NAME --administrator",
            ),
            AccessError::TooMany(_) => (ErrorCode::Limit, "close accounts that nobody uses"),
            AccessError::Wrong
            | AccessError::Wait { .. }
            | AccessError::Closed
            | AccessError::NotTheirs => (ErrorCode::NotAllowed, "sign in on the pages"),
            AccessError::Busy | AccessError::Stopped => (ErrorCode::Conflict, "try again"),
            AccessError::Damaged(_)
            | AccessError::Audit(_)
            | AccessError::Store(_)
            | AccessError::Commit(_) => (ErrorCode::Storage, "maillonctl doctor"),
        };
        Self::new(code, error.to_string(), action)
    }
}
