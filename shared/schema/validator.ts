/** Makes the validator of a schema. In the bundle another file takes the place of this one, with those that the build made. */
export { compile as validatorOf } from './compile.ts'
