/** Looks at the file system before a start, so that people get a sentence instead of a dead terminal. */
export interface LaunchChecks {
  /** An existing directory that may be entered. */
  isFolder(path: string): Promise<boolean>;
  /**
   * The executable file `command` stands for: absolute or relative (with a slash, seen from `folder`) paths as they are, names by the
   * agent's own `searchPath`. Undefined when there is none.
   */
  findCommand(command: string, searchPath: string, folder: string): Promise<string | undefined>;
}
