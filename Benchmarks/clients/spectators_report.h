// What spectators.c reports: CPU time of the server and of itself, quantiles.

typedef struct {
    double user, system, own;  // seconds
    long resident_bytes;
} Usage;

static Usage usage_of(int pid) {
    Usage usage = {0};
    struct rusage self;
    getrusage(RUSAGE_SELF, &self);
    usage.own = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec);
    usage.own += (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec) / 1e6;
    char path[64], text[1024] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return usage;
    size_t count = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[count] = 0;
    const char *fields = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    long pages = 0;
    if (fields) {
        sscanf(
            fields + 2,
            "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
            &user, &system, &pages);
    }
    double ticks = (double)sysconf(_SC_CLK_TCK);
    usage.user = (double)user / ticks;
    usage.system = (double)system / ticks;
    usage.resident_bytes = pages * sysconf(_SC_PAGESIZE);
    return usage;
}

static int by_size(const void *one, const void *other) {
    double left = *(const double *)one, right = *(const double *)other;
    return (left > right) - (left < right);
}

static double quantile(const Samples *samples, double share) {
    if (samples->count == 0) return 0;
    size_t index = (size_t)(share * (double)(samples->count - 1) + 0.5);
    return samples->ms[index];
}

static void print_samples(const char *name, Samples *samples) {
    if (samples->count) qsort(samples->ms, samples->count, sizeof(double), by_size);
    printf(
        "\"%s\":{\"count\":%zu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f},", name, samples->count,
        quantile(samples, 0.5), quantile(samples, 0.9), quantile(samples, 0.99), quantile(samples, 1));
}

static void report(
    double elapsed, Usage before_joins, Usage after_joins, Usage start, Usage end, uint64_t missing) {
    double used = end.user + end.system - start.user - start.system;
    double join_cpu = after_joins.user + after_joins.system - before_joins.user - before_joins.system;
    double count = deliveries.count ? (double)deliveries.count : 1;
    printf("{\"readers\":%d,\"writers\":%d,\"seconds\":%.3f,", reader_count, writer_count, elapsed);
    print_samples("join_ms", &joins);
    print_samples("delivery_ms", &deliveries);
    print_samples("echo_ms", &echoes);
    print_samples("edit_reaches_all_ms", &complete);
    printf("\"join_cpu_us_each\":%.1f,", join_cpu * 1e6 / socket_count);
    printf("\"server_cpu_s\":%.2f,\"server_system_s\":%.2f,", used, end.system - start.system);
    printf("\"server_cpu_share\":%.4f,\"server_cpu_us_per_delivery\":%.2f,", used / elapsed, used * 1e6 / count);
    printf("\"client_cpu_share\":%.4f,", (end.own - start.own) / elapsed);
    printf("\"server_mb\":{\"before\":%.1f,", (double)before_joins.resident_bytes / 1048576);
    printf("\"joined\":%.1f,", (double)after_joins.resident_bytes / 1048576);
    printf("\"end\":%.1f},", (double)end.resident_bytes / 1048576);
    printf("\"messages\":%llu,\"duplicates\":%llu,", (unsigned long long)messages, (unsigned long long)duplicates);
    printf("\"unreadable\":%llu,\"missing\":%llu,", (unsigned long long)unreadable, (unsigned long long)missing);
    printf("\"closed\":%d}\n", closed_count);
}
