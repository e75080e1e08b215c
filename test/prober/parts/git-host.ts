import { type GitHostConfig, startGitHost } from '../../../local/git/host.ts'
import { endWithParent, toldTo } from './part.ts'

/** The Git host in a process of its own. */
const host = await startGitHost(toldTo<GitHostConfig>())
endWithParent(() => host.close())
