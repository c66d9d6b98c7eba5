/// Lets a checker that is written with testlib judge as an output validator of the package format.
///
/// Such a checker is called as `checker input output answer` and exits with 0 for right, 1 or 2 for wrong, 7 for points
/// (its message on standard error begins `points X`), and others for its own failure. The adapter is the program's `main`;
/// the checker's own becomes a function that runs in a child process. The package brings testlib.h.
enum TestlibAdapter {
    private static let mark = Array("registerTestlibCmd".utf8)

    /// The same program unless its C++ source registers itself as a testlib checker.
    static func adapted(_ program: ProgramSource) -> ProgramSource {
        guard program.language == "cpp", contains(program.source, mark) else { return program }
        var adapted = program
        adapted.files["parts/checker.cpp"] = program.source
        for (name, content) in program.files { adapted.files["parts/" + name] = content }
        adapted.source = Array(main.utf8)
        return adapted
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }

    private static let main = """
        #define main checker_main
        #include "parts/checker.cpp"
        #undef main
        #include <stdio.h>
        #include <stdlib.h>
        #include <string>
        #include <sys/wait.h>
        #include <unistd.h>

        static void copy(FILE *from, FILE *to) {
            static char buffer[1 << 16];
            size_t count;
            while ((count = fread(buffer, 1, sizeof buffer, from)) > 0) fwrite(buffer, 1, count, to);
        }

        int main(int count, char **arguments) {
            if (count < 4) return 1;
            std::string folder = arguments[3], message = folder + "judgemessage.txt";
            std::string output = "/box/tmp/output";
            FILE *file = fopen(output.c_str(), "wb");
            if (!file) return 1;
            copy(stdin, file);
            if (fclose(file) != 0) return 1;
            pid_t child = fork();
            if (child == 0) {
                if (!freopen(message.c_str(), "ab", stderr)) _exit(3);
                char *passed[] = {arguments[0], arguments[1], &output[0], arguments[2], NULL};
                exit(checker_main(4, passed));
            }
            int status;
            if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 1;
            switch (WEXITSTATUS(status)) {
            case 0: return 42;
            case 1: case 2: case 4: case 8: return 43;
            case 7: {
                char word[32];
                double points;
                FILE *said = fopen(message.c_str(), "rb");
                if (!said || fscanf(said, "%31s %lf", word, &points) != 2) return 1;
                FILE *score = fopen((folder + "score.txt").c_str(), "wb");
                if (!score || fprintf(score, "%.12g", points) < 0 || fclose(score) != 0) return 1;
                return 42;
            }
            default: return 1;
            }
        }

        """
}
