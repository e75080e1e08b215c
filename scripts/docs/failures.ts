import { type Lifecycle, type RoundName, roundOf, type Task, type Terminal } from '../../shared/lifecycles.ts'

/** What becomes of a run whose task fails: why it may, what `recover` takes back, and how the run ends. */
export interface Failing {
  task: Task
  when: string
  undone: string
  ends: Terminal
}

/** Why a step fails, and what of it has to be taken back. */
interface Told {
  when: string
  /** What its undo does, where it leaves something that a run takes back. */
  undo?: string
  /** True where a failure of this very step leaves that too. */
  evenFailed?: true
}

const steps: Record<string, Told> = {
  validate: { when: 'the request or a file that it needs is wrong, or policy forbids it' },
  locate: {
    when: 'there is no such machine, another run holds it, or the cluster is not what Git says',
    undo: 'the hold ends',
    evenFailed: true,
  },
  hold: {
    when: 'another run holds it, it is an image of somebody else, or its DataSource is not its own',
    undo: 'the hold ends',
    evenFailed: true,
  },
  name: { when: 'the name is taken, or every number of the pattern is', undo: 'the name is given back' },
  address: { when: 'an address is in use, or a network has none left', undo: 'the addresses are given back' },
  place: {
    when: 'no cluster fits for `DROVER_GRACE_SECONDS`, or the named one is not there',
    undo: 'the Placement goes',
    evenFailed: true,
  },
  plan: { when: 'the CMDB keeps failing', undo: 'the record is retired', evenFailed: true },
  customize: { when: 'a customization changed and no longer fits' },
  operate: { when: 'the CMDB keeps failing' },
  check: {
    when: 'it does not have its addresses or its names do not resolve until the deadline, or a data disk came anew',
  },
  release: { when: 'Git keeps failing' },
  absence: { when: 'its names still resolve, or no name server can say, at the deadline' },
  retire: { when: 'the CMDB keeps failing' },
  complete: { when: 'Git keeps failing' },
  notify: { when: 'the callback refuses' },
}

/** The same of each round: why what it waits for fails, what its undo does once it is in Git, and what instead once a guest may have run again. */
const rounds: Record<RoundName, Told & { undo: string; undoStarted?: string }> = {
  create: {
    when: 'a disk cannot be made; the machine, Argo CD or a Secret is in error and stays so; the deadline',
    undo: 'the machine goes, its data disks stay',
  },
  stop: {
    when: 'it does not shut down, or something holds its disks, until the deadline',
    undo: 'it is turned on again, if it was on',
  },
  start: {
    when: 'it does not come up (a crash loop, no node, no guest agent), or a data disk came anew',
    undo: 'it is turned off',
  },
  save: { when: 'the storage cannot take the snapshot', undo: 'the snapshot goes' },
  snapshot: { when: 'the storage cannot take the snapshot', undo: 'the snapshot goes' },
  restore: {
    when: 'the storage cannot give the disks back',
    undo: "its disks are put back to the run's own snapshot",
    undoStarted:
      "a snapshot is taken of what was written since, if it was on; its disks are put back to the run's own snapshot",
  },
  patch: {
    when: 'the Job fails: its last words are in the event',
    undo: "a new root disk is made from the run's own snapshot, and the one that was changed is kept beside it",
  },
  image: { when: 'the image cannot be imported or cloned', undo: 'the new root disk goes' },
  swap: { when: 'it does not come up from the new disk', undo: 'it is turned off, and gets its old root disk again' },
  resize: {
    when: 'a disk does not grow, or a new one cannot be made',
    undo: 'it gets its old size again; a disk that has grown or come stays',
  },
  migrate: { when: 'KubeVirt gives the migration up', undo: 'the migration goes; where it runs by now it stays' },
  import: { when: 'the source cannot be fetched or cloned, or does not fit', undo: 'the new disk goes' },
  secrets: { when: 'a store does not have what is asked for', undo: 'the secrets go' },
  customize: { when: 'the Job fails: its last words are in the event', undo: 'the Job that customized it goes' },
  push: {
    when: 'the registry refuses: the last words of the Job are in the event',
    undo: 'its Job goes; what was pushed stays in the registry',
  },
  publish: {
    when: 'CDI does not take the disk for an image, until the deadline',
    undo: 'machines get the image from before, if there was one',
  },
  remove: { when: 'something of it is still there at the deadline', undo: '' },
}

/** Why a task of any round fails. */
export const reasons = {
  build: 'the machine or the image cannot be changed so, or somebody edited its files by hand',
  commit: 'somebody changed one of the files meanwhile, or Git keeps failing',
}

/** Each task of a lifecycle, and what follows when it fails there. */
export function failings({ name, tasks }: Lifecycle): Failing[] {
  return tasks.map((task, at) => {
    const round = roundOf(name, task.name)
    const when = round ? whenOf(task, round) : (steps[task.name]?.when ?? '')
    if (task.by === 'notify') return { task, when, undone: 'nothing: the run has ended well', ends: 'completed' }
    if (isPastReturn(tasks.slice(0, at))) return { task, when, undone: 'nothing: it cannot be', ends: 'stranded' }
    const hasStarted = tasks.slice(0, at).some((one) => one.name === 'start.commit')
    const undone = tasks
      .slice(0, at + 1)
      .flatMap((one) => undoOf(one, one === task, hasStarted))
      .reverse()
    return { task, when, undone: sentenceOf(undone), ends: 'rolledback' }
  })
}

/** Off and on again, with nothing between them, is one thing. */
const sentenceOf = (undone: string[]) =>
  undone.length === 0
    ? 'nothing was done'
    : undone
        .join('; ')
        .replace(`${rounds.start.undo}; ${rounds.stop.undo}`, 'it is turned off, and on again if it was on')

/** The commit that takes a machine out of the fleet is the last one that can be waited for and not undone. */
const isPastReturn = (done: readonly Task[]) => done.some(({ name }) => name === 'remove.commit')

function whenOf({ by }: Task, round: RoundName): string {
  if (round === 'create' && by === 'build')
    return 'files are in the place of the machine that this run did not write, or a data disk would be lost'
  return by === 'build' || by === 'commit' ? reasons[by] : rounds[round].when
}

function undoOf(task: Task, failed: boolean, hasStarted: boolean): string[] {
  if (task.round) {
    const { undo, undoStarted = undo } = rounds[task.round]
    return task.by === 'commit' && !failed ? [hasStarted ? undoStarted : undo] : []
  }
  const { undo, evenFailed } = steps[task.name] ?? {}
  return undo !== undefined && (!failed || evenFailed) ? [undo] : []
}
