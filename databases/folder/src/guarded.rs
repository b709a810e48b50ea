//! Names of files that a program runs or obeys without being asked, such as the hooks of git.
//!
//! Whoever can write into the storage could run programs on this device by such a file. So a put of one is
//! refused until a person opens the guard here (rule F4). What this device uploads is not
//! concerned, and neither is a delete.

/// Folders, at any level, all of whose files are guarded.
const FOLDERS: [&str; 13] = [
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".bzr",
    ".husky",
    ".ssh",
    ".gnupg",
    ".emacs.d",
    ".vim",
    ".cargo",
    "launchagents",
    "launchdaemons",
];
/// Folders of two names.
const NESTED: [(&str, &[&str]); 3] = [
    (
        ".config",
        &["autostart", "systemd", "fish", "nvim", "git", "environment.d", "plasma-workspace"],
    ),
    (".local", &["bin"]),
    // The start menu of Windows.
    ("programs", &["startup"]),
];
/// Folders of a repository without a working tree, whose name ends in `.git`.
const BARE: [&str; 2] = ["hooks", "config"];
/// Files, at any level.
const FILES: [&str; 43] = [
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bash_aliases",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".logout",
    ".kshrc",
    ".mkshrc",
    ".inputrc",
    ".xinitrc",
    ".xprofile",
    ".xsession",
    ".xsessionrc",
    ".xserverrc",
    ".pam_environment",
    ".envrc",
    ".gitconfig",
    ".hgrc",
    ".netrc",
    ".npmrc",
    ".yarnrc",
    ".pypirc",
    ".vimrc",
    ".gvimrc",
    ".nvimrc",
    ".exrc",
    ".emacs",
    ".gdbinit",
    ".lldbinit",
    ".screenrc",
    ".tmux.conf",
    ".pythonrc",
    ".rprofile",
    "autorun.inf",
];
/// Extensions that a desktop starts by a click, with a program of the file's own choice.
const EXTENSIONS: [&str; 3] = ["desktop", "lnk", "scf"];

/// Whether a file with this path is guarded.
pub(crate) fn is_guarded(path: &str) -> bool {
    let names: Vec<String> = path.split('/').map(plain).collect();
    let Some(file) = names.last() else { return false };
    let is = |list: &[&str], name: &String| list.contains(&name.as_str());
    let nested = |pair: &[String]| {
        let [above, below] = pair else { return false };
        NESTED.iter().any(|(name, inner)| above == name && is(inner, below))
            || above.ends_with(".git") && is(&BARE, below)
    };
    // A file named `.git` says where the repository is.
    names.iter().any(|name| is(&FOLDERS, name))
        || names.windows(2).any(nested)
        || is(&FILES, file)
        || file.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

/// A name as the most generous file system compares it: without regard to case, without the characters that
/// HFS+ ignores, without what Windows cuts off, and with the short names of Windows written out.
fn plain(name: &str) -> String {
    let visible = name.chars().filter(|c| !is_ignored(*c));
    let name: String = visible.flat_map(char::to_lowercase).collect();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    match name.split_once('~') {
        Some((short, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
            let whole = FOLDERS.iter().find(|f| f.trim_start_matches('.').starts_with(short));
            whole.filter(|_| !short.is_empty()).map_or(name, |whole| whole).to_owned()
        }
        _ => name.to_owned(),
    }
}

fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_obeys_without_being_asked_is_guarded() {
        let guarded = [
            ".git/config",
            ".git",
            "code/app/.git/hooks/post-checkout",
            ".GIT/Config",
            ".g\u{200c}it/config",
            ".git./config",
            ".git /config",
            ".git::$INDEX_ALLOCATION/config",
            "git~1/config",
            "mirror.git/hooks/update",
            "mirror.git/config",
            ".ssh/authorized_keys",
            "home/ada/.bashrc",
            ".config/autostart/x",
            ".config/systemd/user/x.timer",
            ".local/bin/ls",
            "Library/LaunchAgents/x.plist",
            "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/x.bat",
            "Autorun.inf",
            "Holiday.desktop",
            ".envrc",
        ];
        guarded.iter().for_each(|path| assert!(is_guarded(path), "{path}"));
        let open = [
            "git/config",
            "notes/git.md",
            ".gitignore",
            ".github/workflows/x.yml",
            "Startup/plan.md",
            ".vscode/settings.json",
            "ideas/startup.md",
            "bashrc",
            ".config/app/settings.json",
            "desktop",
            "a.git/objects/x",
            "x~1",
            "~1",
            "",
        ];
        open.iter().for_each(|path| assert!(!is_guarded(path), "{path}"));
    }
}
