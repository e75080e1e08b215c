import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What changes the installation itself comes after what needs it as it is. */
const last = ['install', 'projects', 'health', 'event-policies', 'func-deploy', 'install-guide']

const rank = ({ moduleId }: TestSpecification) => last.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))

/** Test files in one order, always: whole runs, then the others by name, then those that leave Knative's settings touched. */
export class Order extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byName = (one: TestSpecification, other: TestSpecification) => (one.moduleId < other.moduleId ? -1 : 1)
    return [...files].sort((one, other) => rank(one) - rank(other) || byName(one, other))
  }
}
