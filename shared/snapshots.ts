import type { DefinedSnapshot, Definition } from './schema/definition.ts'

/** The object's name in the cluster: snapshots of all machines of a namespace lie side by side. */
export const objectName = ({ name }: Definition, snapshot: string) => `${name}-${snapshot}`

/** A snapshot by the name that its request gave it, or by its name in the cluster. */
export const named = (definition: Definition, asked: string): DefinedSnapshot | undefined =>
  definition.snapshots?.find(({ name }) => name === objectName(definition, asked) || name === asked)
