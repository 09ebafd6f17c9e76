//! What a command works with: the connection, the person's terminal, the choice between words and JSON.

use std::{
    io::{BufRead, Read, Write},
    path::Path,
};

use maillon_protocol::{
    admin::{Answer, Call},
    limits,
};
use serde::Serialize;

use crate::{
    arguments::Globals,
    client::{Client, Watch},
    failure::Failure,
    terminal::{Bar, View, text},
};

/// The program's streams.
pub(crate) struct Ends<'a> {
    /// Standard output: answers.
    pub(crate) out: &'a mut dyn Write,
    /// Standard error: questions, previews, bars, errors.
    pub(crate) notes: &'a mut dyn Write,
    /// Standard input.
    pub(crate) input: &'a mut dyn BufRead,
    /// Whether a person is there to answer a question.
    pub(crate) asks: bool,
    /// Whether a progress bar may be drawn.
    pub(crate) bars: bool,
}

/// One run of one command.
pub(crate) struct Session<'a, 'b> {
    globals: &'a Globals,
    ends: &'a mut Ends<'b>,
    view: View,
    client: Option<Client>,
}

/// What a destructive command says before it asks.
pub(crate) struct Consequence {
    /// What will happen, line by line; cleaned by who writes it.
    pub(crate) lines: Vec<String>,
}

impl<'a, 'b> Session<'a, 'b> {
    pub(crate) const fn new(globals: &'a Globals, ends: &'a mut Ends<'b>, view: View) -> Self {
        Self {
            globals,
            ends,
            view,
            client: None,
        }
    }

    fn connected(&mut self) -> Result<&mut Client, Failure> {
        let client = match self.client.take() {
            Some(client) => client,
            None => match &self.globals.socket {
                Some(path) => Client::connect(path)?,
                None => Client::find()?,
            },
        };
        Ok(self.client.insert(client))
    }

    /// Makes one call; a bar shows how far it is once it takes longer than a second.
    pub(crate) fn call(&mut self, call: Call) -> Result<Answer, Failure> {
        let mut bar = Bar::new(self.ends.bars);
        let actor = self.globals.actor.clone();
        let answer = self
            .connected()?
            .call_with(actor.as_deref(), call, &mut |progress| {
                bar.show(&progress);
            });
        bar.clear();
        Ok(answer?)
    }

    /// Makes a call that is only done or refused, and says `sentence` when it is done.
    pub(crate) fn done(&mut self, call: Call, sentence: &str) -> Result<u8, Failure> {
        match self.call(call)? {
            Answer::Ok => self.print(&Answer::Ok, |_| sentence.to_owned()),
            _ => Err(Failure::Unexpected),
        }
    }

    /// Gives the connection away for a watch.
    pub(crate) fn watch(&mut self) -> Result<Watch, Failure> {
        let actor = self.globals.actor.clone();
        self.connected()?;
        let client = self.client.take().ok_or(Failure::Unexpected)?;
        Ok(client.watch(actor.as_deref())?)
    }

    /// Whether a progress bar may be drawn.
    pub(crate) const fn draws_bars(&self) -> bool {
        self.ends.bars
    }

    /// What rendering needs to know about the reader.
    pub(crate) const fn view(&self) -> &View {
        &self.view
    }

    /// Whether answers are for a program.
    pub(crate) const fn json(&self) -> bool {
        self.globals.json
    }

    /// Shows one answer, as a line of JSON or in words, and returns the exit code 0.
    pub(crate) fn print<T: Serialize>(
        &mut self,
        value: &T,
        words: impl FnOnce(&View) -> String,
    ) -> Result<u8, Failure> {
        let shown = if self.globals.json {
            let value = serde_json::to_value(value).map_err(std::io::Error::from)?;
            text::json(&value)
        } else {
            words(&self.view)
        };
        writeln!(self.ends.out, "{}", shown.trim_end())?;
        self.ends.out.flush()?;
        Ok(0)
    }

    /// Writes an exported content, base64 or JSON, to standard output.
    pub(crate) fn exported(&mut self, content: &str) -> Result<u8, Failure> {
        writeln!(self.ends.out, "{}", text::json_text(content))?;
        Ok(0)
    }

    /// Flushes what was shown, so that a full disk is not missed.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.ends.out.flush()?)
    }

    /// Says something beside the answer, to a person.
    pub(crate) fn note(&mut self, words: &str) -> Result<(), Failure> {
        if self.json() {
            return Ok(());
        }
        Ok(writeln!(self.ends.notes, "{words}")?)
    }

    /// Whether a person is there to be asked.
    pub(crate) const fn can_ask(&self) -> bool {
        self.ends.asks && !self.json()
    }

    /// Asks a question whose answer is no unless it is yes.
    pub(crate) fn ask(&mut self, question: &str) -> Result<bool, Failure> {
        write!(self.ends.notes, "{question} [y/N] ")?;
        self.ends.notes.flush()?;
        let mut answer = Vec::new();
        // An answer is a word; a pipe that never ends is not read to its end.
        let read = self.ends.input.take(64).read_until(b'\n', &mut answer);
        read.map_err(|why| Failure::Read {
            path: "-".into(),
            why,
        })?;
        // What is no text is no yes.
        let answer = String::from_utf8_lossy(&answer).trim().to_ascii_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes" | "o" | "oui"))
    }

    /// Goes on at once with `yes`; otherwise shows what will happen and asks, or refuses where nobody can be asked.
    pub(crate) fn confirm(
        &mut self,
        yes: bool,
        consequence: impl FnOnce(&mut Self) -> Result<Consequence, Failure>,
    ) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        let would = consequence(self)?.lines;
        self.note("This will happen:")?;
        for line in &would {
            self.note(&format!("  - {line}"))?;
        }
        if self.can_ask() && self.ask("Do you want it?")? {
            return Ok(());
        }
        Err(Failure::Unconfirmed { would })
    }

    /// Reads a file, or standard input where it is `-`, up to `limit` bytes.
    pub(crate) fn read_file(&mut self, path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
        let failed = |why| Failure::Read {
            path: path.to_owned(),
            why,
        };
        let mut bytes = Vec::new();
        let most = limit as u64 + 1;
        if path == Path::new("-") {
            self.ends
                .input
                .take(most)
                .read_to_end(&mut bytes)
                .map_err(failed)?;
        } else {
            std::fs::File::open(path)
                .and_then(|file| file.take(most).read_to_end(&mut bytes))
                .map_err(failed)?;
        }
        if bytes.len() > limit {
            return Err(Failure::TooLarge {
                path: path.to_owned(),
                limit,
            });
        }
        Ok(bytes)
    }

    /// A text as it was typed, or standard input where it is `-`, without the last line break.
    pub(crate) fn text(&mut self, typed: &str) -> Result<String, Failure> {
        if typed != "-" {
            return Ok(typed.to_owned());
        }
        let bytes = self.read_file(Path::new("-"), limits::BODY)?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::Value {
            cause: "the text on standard input is not UTF-8".to_owned(),
            action: "Convert it first, for example with iconv -t UTF-8.",
        })?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// Makes a call and takes the answer of its kind.
macro_rules! answer {
    ($session:expr, $call:expr, $kind:ident) => {
        match $session.call($call)? {
            maillon_protocol::admin::Answer::$kind(value) => value,
            _ => return Err($crate::failure::Failure::Unexpected),
        }
    };
}
pub(crate) use answer;
